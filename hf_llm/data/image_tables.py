"""MNIST in one table instead of four arrays: CSV, as Kaggle and OpenML have it, and Keras's .npz.

label,pixel0,…,pixel783       a header or none; the label in the first column, or in the one called label or class
x_train, y_train, x_test, y_test                                                                        mnist.npz
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hf_llm.config import UserError, require
from hf_llm.data.content import open_plain, read_errors
from hf_llm.data.sources import MNIST_PLACES

PIXELS, SIDE = 784, 28
MNIST = 60_000, 10_000  # images of training and test, in this order where one file holds them all
Part = tuple[np.ndarray, np.ndarray]  # uint8 (N, 28, 28), (N,)

# a table is one file or two: training, test
MNIST_TABLES = (("mnist_train.csv", "mnist_test.csv"), ("mnist_784.csv",), ("mnist.npz",))
TABLES = (*MNIST_TABLES, ("train.csv", "test.csv"), ("train.csv",))  # these names are not MNIST's alone
TABLE_NAMES = ("mnist_train.csv and mnist_test.csv", "train.csv", "mnist_784.csv", "mnist.npz")
PLACES = ("", *MNIST_PLACES, "mnist-in-csv", "digit-recognizer")


@dataclass(frozen=True)
class ImageTable:
    """The files of a table that was found."""

    files: tuple[Path, ...]

    @property
    def path(self) -> Path:
        return self.files[0]

    def read(self) -> tuple[Part, Part]:
        """Return training and test part. Where only the first is labelled, its last sixth is the test part.

        Raises:
            UserError: When a file cannot be read, is damaged or is no such table.
        """
        if self.path.suffix == ".npz":
            return _read_npz(self.path)
        first = _read_csv(self.path)
        require(
            first is not None, f"{self.path} has no labels; it should have one column of them and {PIXELS} of pixels"
        )
        second = _read_csv(self.files[1]) if len(self.files) > 1 else None
        if second is not None:
            return first, second
        count = len(first[1])
        require(count > 1, f"{self.path} holds {count} image; it takes at least two, one of them for the test")
        cut = MNIST[0] if count == sum(MNIST) else count - max(1, count // 6)
        print(f"{self.path}: the first {cut:,} images are for training, the other {count - cut:,} for the test")
        return tuple(array[:cut] for array in first), tuple(array[cut:] for array in first)


def find_table(folders: list[Path], names: tuple[tuple[str, ...], ...]) -> ImageTable | None:
    """Return the first of the tables called `names` that lies in one of the folders, plain or in .gz, or None."""
    for folder in folders:
        for place in PLACES:
            for files in names:
                paths = [_first_file(folder / place / name) for name in files]
                if all(paths):
                    return ImageTable(tuple(paths))
    return None


def _first_file(path: Path) -> Path | None:
    packed = path.with_name(f"{path.name}.gz")
    return next((each for each in (path, packed) if each.is_file()), None)


def _read_csv(path: Path) -> Part | None:
    """Return a table's images and labels, None where it has no column of labels."""
    from pyarrow import ArrowException, csv

    with open_plain(path) as file:
        header = file.readline().decode("utf-8-sig", errors="replace").strip().replace('"', "").lower().split(",")
    named = not header[0].isdecimal()
    try:
        with open_plain(path) as file:
            table = csv.read_csv(file, read_options=csv.ReadOptions(autogenerate_column_names=not named))
    except (ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is no table of {PIXELS} pixels a row ({reason}); replace it by the original") from None
    if table.num_columns == PIXELS:
        return None
    require(
        table.num_columns == PIXELS + 1,
        f"{path} has {table.num_columns} columns where a label and {PIXELS} pixels belong; replace it by the original",
    )
    require(table.num_rows > 0, f"{path} holds no image; replace it by the original file")
    levels = np.empty((table.num_rows, PIXELS + 1), np.uint8)
    for place, column in enumerate(table.columns):
        values = column.to_numpy()
        right = values.dtype.kind in "if" and values.min() >= 0 and values.max() <= 255  # NaN, of a gap, fails
        require(
            bool(right) and np.array_equal(values, values.astype(np.uint8)),
            f"{path} holds other numbers than 0 to 255; replace it by the original file",
        )
        levels[:, place] = values
    label = next((header.index(name) for name in ("label", "class") if name in header), 0)
    return np.delete(levels, label, axis=1).reshape(-1, SIDE, SIDE), levels[:, label]


def _read_npz(path: Path) -> tuple[Part, Part]:
    with read_errors(path):
        try:
            with np.load(path, allow_pickle=False) as arrays:
                train, test = ((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))
                parts = tuple(train), tuple(test)
        except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
            raise UserError(
                f"{path} is no mnist.npz as Keras has it ({error}); replace it by the original file"
            ) from None
    for images, labels in parts:
        right = images.ndim == 3 and labels.ndim == 1 and images.dtype == labels.dtype == np.uint8 and len(images) > 0
        require(right, f"{path} holds other arrays than bytes (N, 28, 28) and (N,); replace it by the original file")
    return parts
