"""Where labelled images come from, that they are what their name promises, and how they are divided."""

import doctest
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hf_llm.config import UserError
from hf_llm.data import MissingData, images
from hf_llm.data.hub_images import MNIST_SHA256
from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.data.sources import SOURCES

FILES = [Path(file.path).stem for file in SOURCES["mnist"]]
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


@pytest.fixture(scope="module")
def digits():
    return read_images("digits")


@pytest.fixture(scope="module")  # set up before `places` hides what is on this machine
def mnist():
    try:
        return read_images("mnist")
    except MissingData:
        pytest.skip("mnist is not on this machine")


def numbered(count: int) -> LabelledImages:
    """Return images whose first pixels tell their place."""
    pixels = np.zeros((count, 28, 28), np.uint8)
    pixels[:, 0, 0], pixels[:, 0, 1] = np.divmod(np.arange(count), 256)
    return LabelledImages(pixels, np.arange(count) % 10)


def places_of(part: LabelledImages) -> list[int]:
    places = part.images[:, 0, 0].astype(int) * 256 + part.images[:, 0, 1]
    assert (part.labels == places % 10).all()  # labels went with their images
    return places.tolist()


def as_idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{array.ndim + 1}I", 0x0800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path, put):
    """Return a function that writes four IDX files, some of them replaced, and returns their folder."""

    def write(packed=True, **replaced: np.ndarray) -> Path:
        train, test = numbered(30), numbered(20)
        arrays = {
            "train_images": train.images,
            "train_labels": train.labels,
            "test_images": test.images,
            "test_labels": test.labels,
        } | replaced
        for name, array in zip(FILES, arrays.values()):
            put(tmp_path / "idx", name + ".gz" * packed, as_idx(array))
        return tmp_path / "idx"

    return write


def refusal(call, *arguments) -> str:
    with pytest.raises(UserError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- digits


def test_digits_have_the_form_of_mnist(digits):
    for part, count in ((digits.train, 1438), (digits.test, 359)):
        assert (part.images.shape, part.images.dtype) == ((count, 28, 28), np.uint8)
        assert (part.labels.shape, part.labels.dtype) == ((count,), np.int64)
        assert set(part.labels.tolist()) == set(range(10))
        assert len(part) == count
        assert (part.images.min(), part.images.max()) == (0, 255)
    assert digits.name == "digits"


def test_digits_are_those_of_scikit_learn_enlarged_and_padded(digits):
    from sklearn.datasets import load_digits

    pixels = np.concatenate([digits.train.images, digits.test.images])
    labels = np.concatenate([digits.train.labels, digits.test.labels])
    inner = pixels[:, 2:26, 2:26]
    assert pixels.astype(int).sum() == inner.astype(int).sum()  # a margin of two, of background
    small = inner[:, 1::3, 1::3]
    assert (np.kron(small, np.ones((3, 3), np.uint8)) == inner).all()
    given = load_digits()
    ours = sorted((label, *image.ravel()) for label, image in zip(labels, np.rint(small / 255 * 16).astype(int)))
    theirs = sorted((label, *image.ravel()) for label, image in zip(given.target, given.images.astype(int)))
    assert ours == theirs  # each of them once, with its label


def test_digits_are_the_same_on_every_machine(digits):
    assert digits.sha256 == "5997a1175564ea79bae296c055c7f02491d93b3894bb799e8747e1be3d52632c"
    assert digits.sha256 != MNIST_SHA256


# --- IDX


def test_mnist(mnist):
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)  # the figure everybody normalises by
    assert mnist.sha256 == MNIST_SHA256


def test_mnist_that_is_nowhere():
    with pytest.raises(MissingData, match="mnist was not found"):
        read_images("mnist")


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_idx_files(folder, packed):
    path = folder(packed)
    data = read_images(str(path))
    assert data.name == str(path)
    assert places_of(data.train) == list(range(30))
    assert places_of(data.test) == list(range(20))
    assert data.train.labels.dtype == np.int64


def test_a_folder_relative_to_home(folder, monkeypatch):
    path = folder()
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    assert len(read_images("~/idx").train) == 30


def test_the_hash_is_of_the_content_in_its_order(folder):
    data = read_images(str(folder()))
    train, test = numbered(30), numbered(20)
    bytes_of = [part.tobytes() for half in (train, test) for part in (half.images, half.labels.astype(np.uint8))]
    assert data.sha256 == hashlib.sha256(b"".join(bytes_of)).hexdigest()
    assert read_images(str(folder(packed=False))).sha256 == data.sha256
    for name in ("train_labels", "test_labels"):
        other = (numbered(30) if "train" in name else numbered(20)).labels.copy()
        other[3] = 9
        assert read_images(str(folder(packed=False, **{name: other}))).sha256 != data.sha256


@pytest.mark.parametrize(
    ("replaced", "sentence"),
    [
        (
            {"train_labels": numbered(30).labels + 1},
            f"{TRAIN_LABELS}.gz holds the label 10; labels must be from 0 to 9",
        ),
        ({"test_labels": np.full(20, 255)}, f"{TEST_LABELS}.gz holds the label 255"),
        ({"test_images": np.zeros((20, 32, 32))}, f"{TEST_IMAGES}.gz holds images of 32x32 pixels; they must be 28x28"),
        ({"train_images": np.zeros((30, 28, 14))}, f"{TRAIN_IMAGES}.gz holds images of 28x14 pixels"),
        ({"train_labels": numbered(29).labels}, f"{TRAIN_IMAGES}.gz holds 30 images, but {TRAIN_LABELS}.gz 29 labels"),
        ({"test_images": numbered(21).images}, f"{TEST_IMAGES}.gz holds 21 images, but {TEST_LABELS}.gz 20 labels"),
        ({"train_images": numbered(30).labels}, f"{TRAIN_IMAGES}.gz holds IDX labels"),
        ({"test_images": numbered(0).images}, f"{TEST_IMAGES}.gz is an empty array"),
    ],
)
def test_what_is_no_set_of_digits(folder, replaced, sentence):
    path = folder(**replaced)
    assert refusal(read_images, str(path)).startswith(f"{path}{os.sep}{sentence}")


def test_a_folder_that_lacks_files(folder):
    path = folder()
    (path / f"{TRAIN_LABELS}.gz").unlink()
    (path / f"{TEST_IMAGES}.gz").unlink()
    sentence = refusal(read_images, str(path))
    assert sentence.startswith(f"{path} lacks {TRAIN_LABELS}, {TEST_IMAGES};")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("mnits", "no such folder or source of images: 'mnits', did you mean 'mnist'?"),
        ("ylecun/mnits", "did you mean 'ylecun/mnist'?"),
        ("the-verdict", "no such folder or source of images: 'the-verdict'"),  # a text
        ("", "no such folder or source of images"),
        ("nul\0", "no such folder or source of images"),
        ("x" * 5000, "no such folder or source of images"),
    ],
)
def test_neither_a_name_nor_a_folder(source, words):
    sentence = refusal(read_images, source)
    assert words in sentence
    assert "mnist, digits, ylecun/mnist" in sentence


def test_a_file_in_place_of_its_folder(folder):
    path = folder() / f"{TRAIN_IMAGES}.gz"
    assert refusal(read_images, str(path)).startswith(f"{str(path)!r} is not a folder")


# --- the Hub


def hub(monkeypatch, answer) -> None:
    """Let the Hub's `ylecun/mnist` be `answer`: splits, or an exception."""

    def load_dataset(name):
        assert name == "ylecun/mnist"
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("datasets.load_dataset", load_dataset)


@pytest.fixture
def small(digits, monkeypatch):
    """A few digits, which stand for MNIST: a dict of splits and their hash."""
    parts = {"train": digits.train.select(slice(40)), "test": digits.test.select(slice(20))}
    monkeypatch.setattr(images, "MNIST_SHA256", images._content_sha256(parts["train"], parts["test"]))
    return parts


def test_the_hub_gives_the_same_as_idx(small, folder, monkeypatch):
    hub(monkeypatch, {name: part.to_dataset() for name, part in small.items()})
    data = read_images("ylecun/mnist")
    assert data.name == "ylecun/mnist"
    for part, given in ((data.train, small["train"]), (data.test, small["test"])):
        assert (part.images == given.images).all()
        assert (part.labels == given.labels).all()
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
    arrays = {f"{name}_{kind}": getattr(part, kind) for name, part in small.items() for kind in ("images", "labels")}
    assert data.sha256 == read_images(str(folder(**arrays))).sha256


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("what", ["one pixel", "one label", "the order", "one image less"])
def test_another_content_on_the_hub_is_refused(small, monkeypatch, split, what):
    part = small[split]
    pixels, labels = part.images.copy(), part.labels.copy()
    if what == "one pixel":
        pixels[7, 14, 14] ^= 1
    elif what == "one label":
        labels[7] = (labels[7] + 1) % 10
    small[split] = LabelledImages(pixels, labels)
    if what == "the order":
        small[split] = part.select(np.arange(len(part))[::-1])
    elif what == "one image less":
        small[split] = part.select(slice(1, None))
    hub(monkeypatch, {name: part.to_dataset() for name, part in small.items()})
    assert "SHA-256 of the pixels differs" in refusal(read_images, "ylecun/mnist")


@pytest.mark.parametrize("what", ["colour", "size", "no such column", "no test split", "no label"])
def test_another_form_on_the_hub_is_refused(small, monkeypatch, what):
    splits = {name: part.to_dataset() for name, part in small.items()}
    if what == "colour":
        splits["train"] = LabelledImages(np.zeros((4, 28, 28, 3), np.uint8), np.arange(4)).to_dataset()
    elif what == "size":
        splits["train"] = LabelledImages(np.zeros((4, 32, 32), np.uint8), np.arange(4)).to_dataset()
    elif what == "no such column":
        splits["train"] = splits["train"].rename_column("image", "picture")
    elif what == "no test split":
        del splits["test"]
    else:
        splits["test"] = LabelledImages(small["test"].images, np.full(20, -1)).to_dataset()
    hub(monkeypatch, splits)
    assert refusal(read_images, "ylecun/mnist").startswith("ylecun/mnist is not MNIST as this project knows it (")


def test_offline_without_a_copy_of_it(tmp_path):
    """The real library, in a process of its own: what it raises is what we catch."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    source = "from hf_llm.data.images import read_images; read_images('ylecun/mnist')"
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, env=environment, cwd=root)
    last = run.stderr.strip().splitlines()[-1]
    assert "UserError: ylecun/mnist could not be loaded from the Hub" in last
    assert "'digits' (embedded)" in last


def test_other_failures_of_the_hub(monkeypatch):
    import datasets

    generation = datasets.exceptions.DatasetGenerationError("a damaged\nparquet file")
    missing = datasets.exceptions.DatasetNotFoundError("no such data set")
    for error in (ConnectionError("x"), TimeoutError("x"), ValueError("no cached copy"), missing, generation):
        hub(monkeypatch, error)
        assert "could not be loaded from the Hub" in refusal(read_images, "ylecun/mnist")


# --- division


def test_the_last_share_is_held_out():
    train, validation = hold_out(numbered(300), 1 / 6)
    assert places_of(train) == list(range(250))
    assert places_of(validation) == list(range(250, 300))


def test_a_sixth_of_mnist_is_ten_thousand():
    train, validation = hold_out(numbered(60_000), 1 / 6)
    assert (len(train), len(validation)) == (50_000, 10_000)


def test_nothing_is_held_out():
    train, validation = hold_out(numbered(10), 0)
    assert (len(train), len(validation)) == (10, 0)
    assert validation.images.shape == (0, 28, 28)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan")])
def test_a_share_that_is_none(fraction):
    assert "must be from 0 to below 1" in refusal(hold_out, numbered(10), fraction)


@pytest.mark.parametrize(("count", "fraction"), [(10, 0.01), (1, 0.9), (0, 0), (0, 0.5)])
def test_a_share_that_leaves_one_part_empty(count, fraction):
    assert f"{count} images cannot give" in refusal(hold_out, numbered(count), fraction)


def test_a_draw_has_each_image_at_most_once_and_its_label():
    places = places_of(draw(numbered(1000), 900, seed=0))
    assert len(set(places)) == 900
    assert places != sorted(places)
    assert sorted(places_of(draw(numbered(1000), 1000, seed=0))) == list(range(1000))


def test_a_draw_depends_on_the_seed_alone():
    np.random.seed(0)
    first = places_of(draw(numbered(1000), 50, seed=1))
    state = np.random.get_state()[1].tolist()
    assert places_of(draw(numbered(1000), 50, seed=1)) == first
    assert places_of(draw(numbered(1000), 50, seed=2)) != first
    assert np.random.get_state()[1].tolist() == state  # nobody else's generator moved


def test_a_smaller_draw_is_a_part_of_a_larger_one():
    assert places_of(draw(numbered(1000), 500, seed=3))[:100] == places_of(draw(numbered(1000), 100, seed=3))


@pytest.mark.parametrize("count", [-1, 0, 11])
def test_a_draw_that_cannot_be(count):
    assert f"cannot draw {count} of 10 images" in refusal(draw, numbered(10), count, 0)


def test_select_takes_images_in_the_order_asked_for():
    assert places_of(numbered(10).select(np.array([7, 2, 2]))) == [7, 2, 2]


# --- as a data set


def test_a_data_set_holds_the_same_images(digits):
    from datasets import ClassLabel, Image

    part = digits.train.select(slice(30))
    dataset = part.to_dataset()
    assert dataset.features == {"image": Image(), "label": ClassLabel(names=list("0123456789"))}
    assert (np.stack([np.asarray(image) for image in dataset["image"]]) == part.images).all()
    assert dataset["label"][:] == part.labels.tolist()
    assert dataset[0]["image"].mode == "L"


def test_a_data_set_is_never_an_older_one(digits):
    part = digits.train.select(slice(10))
    part.to_dataset()
    part.images[0] = 255 - part.images[0]
    try:
        assert (np.asarray(part.to_dataset()[0]["image"]) == part.images[0]).all()
    finally:
        part.images[0] = 255 - part.images[0]  # a slice shares its memory


# --- the file itself


def test_importing_it_loads_nothing_heavy():
    source = (
        "import sys; import hf_llm.data.images; "
        "print(set(sys.modules) & {'torch', 'datasets', 'sklearn', 'PIL', 'transformers', 'pandas', 'tqdm'})"
    )
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.stdout.strip() == "set()", run.stderr


def test_the_example_in_the_docstring():
    assert doctest.testmod(images).failed == 0
