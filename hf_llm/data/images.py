"""Labelled images for training: MNIST, or what has its shape, as two arrays.

>>> data = read_images("digits")
>>> train, validation = hold_out(data.train, 1 / 6)
>>> len(train), len(validation), len(data.test)
(1198, 240, 359)
>>> draw(train, 100, seed=0).images.shape
(100, 28, 28)
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hf_llm.config import UserError, nearest, require, user_path
from hf_llm.data.digits import read_digits
from hf_llm.data.hub_images import HUB_MNIST, MNIST_SHA256, read_hub_mnist
from hf_llm.data.idx import IMAGES, LABELS, read_idx
from hf_llm.data.image_tables import MNIST_TABLES, TABLE_NAMES, TABLES, ImageTable, find_table
from hf_llm.data.search import MissingData, find, is_here, search_folders
from hf_llm.data.sources import MNIST_PLACES, SOURCES, idx_names
from hf_llm.texts import both

if TYPE_CHECKING:
    import datasets

SIDE, CLASSES = 28, 10
NAMES = ["mnist", "digits", HUB_MNIST]


@dataclass(frozen=True, eq=False)  # arrays have no single truth that == could return
class LabelledImages:
    """Images and what they show."""

    images: np.ndarray  # uint8 (N, 28, 28), 0 background, 255 ink
    labels: np.ndarray  # int64 (N,), 0 to 9

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: np.ndarray | slice) -> "LabelledImages":
        """Return the images at `indices`, in that order; a slice shares their memory."""
        return LabelledImages(self.images[indices], self.labels[indices])

    def to_dataset(self) -> "datasets.Dataset":
        """Return a data set with the columns of `ylecun/mnist`, for `transformers.Trainer` and for looking at.

        It is made in memory, so no cache can answer with older images. Each image is encoded as a PNG, and decoded
        whenever it is read: 10 s for all of MNIST, which is why our own training takes the arrays.
        """
        from datasets import ClassLabel, Dataset, Features, Image

        features = Features(image=Image(), label=ClassLabel(names=[str(digit) for digit in range(CLASSES)]))
        return Dataset.from_dict({"image": list(self.images), "label": self.labels}, features=features)


@dataclass(frozen=True, eq=False)
class ImageData:
    """A training and a test set. `sha256` is that of all bytes: images then labels, of training then test."""

    name: str
    sha256: str
    train: LabelledImages
    test: LabelledImages


def read_images(source: str) -> ImageData:
    """Read a training and a test set of 28×28 images of ten classes.

    Args:
        source: `mnist` (through the search path), `digits` (embedded), `ylecun/mnist` (the Hub), or a folder with
            images in one of MNIST's forms: four IDX files (Fashion-MNIST and others come so), CSV or .npz, as
            torchvision, Kaggle, OpenML and Keras store them.

    Raises:
        UserError: For another name, and when a file is missing, damaged or holds other than such images.
    """
    table = None if source in ("digits", HUB_MNIST) else _table_of(source)
    if source == "digits":
        parts = read_digits()
    elif source == HUB_MNIST:
        parts = read_hub_mnist()
    elif table:
        parts = table.read()
        for images, labels in parts:
            _check(images, labels, table.path, table.path)
    else:
        paths = find("mnist") if source == "mnist" else _idx_files(source)
        parts = [_read_pair(*paths[:2]), _read_pair(*paths[2:])]
    train, test = (LabelledImages(images, labels.astype(np.int64)) for images, labels in parts)
    sha256 = _content_sha256(train, test)
    require(
        source != HUB_MNIST or sha256 == MNIST_SHA256,
        f"{HUB_MNIST} is not MNIST as this project knows it (SHA-256 of the pixels differs); take 'mnist'",
    )
    if source == "mnist" and table:  # IDX files have hashes of their own
        require(sha256 == MNIST_SHA256, both("data.other_content", path=table.path, source=source))
    return ImageData(source, sha256, train, test)


def mnist_or_digits() -> str:
    """Return `mnist` where it is at hand or can be downloaded, else `digits`, and say so."""
    try:
        if not mnist_is_here():
            find("mnist")
    except MissingData as missing:
        print(f"{missing}\n→ taking the embedded digits instead\n")
        return "digits"
    return "mnist"


def mnist_is_here() -> bool:
    """Say whether MNIST lies on this machine, in whatever form, so that nothing would be downloaded."""
    return is_here("mnist") or _table_of("mnist") is not None


def hold_out(images: LabelledImages, fraction: float) -> tuple[LabelledImages, LabelledImages]:
    """Return (train, validation): the last `fraction` of the images is for validation.

    Of MNIST's 60,000, 1/6 is the customary last 10,000. A fraction of 0 gives no validation images.

    Raises:
        UserError: When the fraction is not from 0 to below 1, or one of the two would be left with no image.
    """
    require(0 <= fraction < 1, f"the share held out for validation must be from 0 to below 1, not {fraction}")
    held_out = round(len(images) * fraction)
    require(
        held_out < len(images) and (held_out > 0 or fraction == 0),
        f"{len(images)} images cannot give {fraction:g} of them to validation and keep some of both; take more images",
    )
    cut = len(images) - held_out
    return images.select(slice(cut)), images.select(slice(cut, None))


def draw(images: LabelledImages, count: int, seed: int) -> LabelledImages:
    """Return `count` images drawn without replacement by a generator of their own.

    With the same seed a smaller draw is a part of a larger one, so that between the two only the number differs.

    Raises:
        UserError: When `count` is below 1 or above the number of images.
    """
    require(1 <= count <= len(images), f"cannot draw {count} of {len(images)} images; take 1 to {len(images)}")
    return images.select(np.random.default_rng(seed).permutation(len(images))[:count])


def _table_of(source: str) -> ImageTable | None:
    """Return MNIST as a table, if it is to be read from one: where there are no IDX files."""
    if source == "mnist":
        return None if is_here("mnist") else find_table(search_folders(), MNIST_TABLES)
    folder = _folder(source)
    return None if _complete(folder) else find_table([folder], TABLES)


def _folder(source: str) -> Path:
    folder = str(user_path(source)) if source else ""
    if not os.path.exists(folder):  # of os.path, since Path's methods raise for some texts and for closed folders
        raise UserError(
            f"no such folder or source of images: {source!r}{nearest(source, NAMES)}; "
            f"name a folder with the four IDX files or one of {', '.join(NAMES)}"
        )
    require(os.path.isdir(folder), f"{source!r} is not a folder; name the folder that holds the four IDX files")
    return Path(folder)


def _complete(folder: Path) -> list[Path] | None:
    """Return the four IDX files from the first of MNIST's places in a folder that has them all."""
    found = (_there(folder / place) for place in ("", *MNIST_PLACES))
    return next(([*paths.values()] for paths in found if all(paths.values())), None)


def _there(place: Path) -> dict[str, Path | None]:
    """Return each of the four IDX files of a folder by its original name, None where it is not."""
    originals = [Path(file.path).stem for file in SOURCES["mnist"]]
    found = {name: [place / form for form in idx_names(name) if os.path.isfile(place / form)] for name in originals}
    return {name: paths[0] if paths else None for name, paths in found.items()}


def _idx_files(source: str) -> list[Path]:
    """Return the paths of the four IDX files in the folder `source`, in the order of `SOURCES["mnist"]`."""
    folder = _folder(source)
    paths = _complete(folder)
    missing = ", ".join(name for name, path in _there(folder).items() if path is None)
    require(
        paths is not None,
        f"{source} lacks {missing}; put the IDX files there, plain or in .gz, or {' or '.join(TABLE_NAMES)}",
    )
    return paths


def _read_pair(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_idx(images_path, IMAGES), read_idx(labels_path, LABELS)
    _check(images, labels, images_path, labels_path)
    return images, labels


def _check(images: np.ndarray, labels: np.ndarray, images_path: Path, labels_path: Path) -> None:
    count, *size = images.shape
    require(size == [SIDE, SIDE], f"{images_path} holds images of {size[0]}x{size[1]} pixels; they must be 28x28")
    require(
        count == len(labels),
        f"{images_path} holds {count:,} images, but {labels_path.name} {len(labels):,} labels; they must be of one set",
    )
    last = labels.max()
    require(last < CLASSES, f"{labels_path} holds the label {last}; labels must be from 0 to {CLASSES - 1}")


def _content_sha256(*parts: LabelledImages) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.images)
        digest.update(part.labels.astype(np.uint8))  # one byte each, as in IDX
    return digest.hexdigest()
