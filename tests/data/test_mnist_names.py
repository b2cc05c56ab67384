"""MNIST under the names, in the folders and in the forms in which people have it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from test_images import FILES, as_idx

from hf_llm.config import UserError
from hf_llm.data import MissingData, images
from hf_llm.data.images import LabelledImages, mnist_is_here, mnist_or_digits, read_images
from hf_llm.data.sources import SOURCES, SourceFile

OTHER = [name.replace("-idx", ".idx") for name in FILES]  # train-images.idx3-ubyte
HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])
# how the four files lie below a folder
LAYOUTS = {
    "ours": [f"mnist/{name}.gz" for name in FILES],
    "uncompressed": [f"mnist/{name}" for name in FILES],
    "with a dot": [f"mnist/{name}" for name in OTHER],
    "with a dot, compressed": [f"mnist/{name}.gz" for name in OTHER],
    "torchvision": [f"MNIST/raw/{name}" for name in FILES],
    "torchvision below ours": [f"mnist/MNIST/raw/{name}" for name in FILES],
    "Kaggle, nested": [f"{name}/{name}" for name in FILES],
    "Kaggle, nested, in its archive's folder": [f"mnist-dataset/{name}/{name}" for name in FILES],
    "Kaggle, not nested": OTHER,
    "the folder itself": FILES,
    "mixed": [f"mnist/{FILES[0]}.gz", f"mnist/{FILES[1]}", f"mnist/{OTHER[2]}", f"mnist/{OTHER[3]}.gz"],
}


@pytest.fixture
def parts(monkeypatch) -> list[LabelledImages]:
    """Thirty-six images and twelve, which stand for MNIST here."""
    random = np.random.default_rng(0)
    made = [LabelledImages(random.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n) % 10) for n in (36, 12)]
    monkeypatch.setattr(images, "MNIST_SHA256", images._content_sha256(*made))
    return made


@pytest.fixture
def arrays(parts, monkeypatch) -> list[bytes]:
    """The same as four IDX files, whose hashes are those of `mnist`."""
    import hashlib

    contents = [as_idx(array) for part in parts for array in (part.images, part.labels)]
    files = [
        SourceFile(file.path, hashlib.sha256(content).hexdigest(), (), file.other_paths)
        for file, content in zip(SOURCES["mnist"], contents)
    ]
    monkeypatch.setitem(SOURCES, "mnist", tuple(files))
    return contents


def csv_of(part: LabelledImages, header: str = HEADER, last: bool = False, labels: bool = True) -> bytes:
    columns = [part.images.reshape(len(part), -1)]
    if labels:
        columns.insert(1 if last else 0, part.labels[:, None])
    rows = [",".join(map(str, row)) for row in np.hstack(columns)]
    return "\n".join([*([header] if header else []), *rows, ""]).encode()


def assert_same(data, parts) -> None:
    for read, given in zip((data.train, data.test), parts):
        assert np.array_equal(read.images, given.images)
        assert np.array_equal(read.labels, given.labels)
        assert (read.images.dtype, read.labels.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("place", ["given", "here", "cache"])
def test_the_four_files_under_other_names(arrays, parts, places, put, layout, place):
    assert not mnist_is_here()
    for path, content in zip(LAYOUTS[layout], arrays):
        put(places[place], path, content)
    assert mnist_is_here()
    assert mnist_or_digits() == "mnist"
    assert_same(read_images("mnist"), parts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_is_named(arrays, parts, put, tmp_path, layout):
    for path, content in zip(LAYOUTS[layout], arrays):
        put(tmp_path / "mine", path, content)
    data = read_images(str(tmp_path / "mine"))
    assert data.name == str(tmp_path / "mine")
    assert_same(data, parts)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "ours"])
def test_another_content_under_such_a_name_is_named(arrays, places, put, layout):
    for path, content in zip(LAYOUTS[layout], arrays):
        damaged = put(places["given"], path, content[:-1] + bytes([content[-1] ^ 1]))
        if path != LAYOUTS[layout][-1]:
            put(places["given"], path, content)
    with pytest.raises(UserError, match="is not the mnist that this project knows") as error:
        read_images("mnist")
    assert str(damaged) in str(error.value)


def test_the_two_csv_files_of_kaggle(parts, places, put):
    for part, name in zip(parts, ("mnist_train.csv", "mnist_test.csv")):
        put(places["given"], f"mnist/{name}", csv_of(part))
    assert mnist_is_here()
    assert_same(read_images("mnist"), parts)


@pytest.mark.parametrize(
    ("header", "last", "ending"),
    [(HEADER, False, ""), ("", False, ""), (HEADER.replace("label,", "") + ",class", True, ""), (HEADER, False, ".gz")],
    ids=["label first", "no header", "class last", "compressed"],
)
def test_csv_as_it_comes(parts, put, tmp_path, header, last, ending):
    for part, name in zip(parts, ("train.csv", "test.csv")):
        put(tmp_path / "mine", name + ending, csv_of(part, header, last))
    assert_same(read_images(str(tmp_path / "mine")), parts)


@pytest.mark.parametrize("unlabelled", [True, False])
def test_a_competition_s_test_file_has_no_labels(parts, put, tmp_path, capsys, unlabelled):
    train, test = parts
    put(tmp_path / "digit-recognizer", "train.csv", csv_of(train))
    if unlabelled:
        put(tmp_path / "digit-recognizer", "test.csv", csv_of(test, HEADER.replace("label,", ""), labels=False))
    data = read_images(str(tmp_path / "digit-recognizer"))
    assert_same(data, [train.select(slice(30)), train.select(slice(30, 36))])
    assert "the first 30 images are for training, the other 6 for the test" in capsys.readouterr().out


def test_one_csv_of_openml(parts, places, put, monkeypatch):
    monkeypatch.setattr("hf_llm.data.image_tables.MNIST", (36, 12))
    both = LabelledImages(*(np.concatenate([getattr(part, kind) for part in parts]) for kind in ("images", "labels")))
    put(places["here"], "mnist_784.csv", csv_of(both, HEADER.replace("label,", "") + ",class", last=True))
    assert_same(read_images("mnist"), parts)


def test_the_archive_of_keras(parts, places):
    train, test = parts
    places["given"].mkdir()
    np.savez(
        places["given"] / "mnist.npz", x_train=train.images, y_train=train.labels.astype(np.uint8),
        x_test=test.images, y_test=test.labels.astype(np.uint8),
    )  # fmt: skip
    assert_same(read_images("mnist"), parts)


def test_a_table_with_another_content_is_not_mnist(parts, places, put):
    parts[1].images[3, 4, 5] ^= 1
    for part, name in zip(parts, ("mnist_train.csv", "mnist_test.csv")):
        put(places["given"], name, csv_of(part))
    with pytest.raises(UserError, match=r"mnist_train\.csv is not the mnist that this project knows"):
        read_images("mnist")


def test_idx_files_come_before_a_table(arrays, parts, places, put):
    for path, content in zip(LAYOUTS["ours"], arrays):
        put(places["given"], path, content)
    put(places["given"], "mnist_784.csv", b"nothing")
    assert_same(read_images("mnist"), parts)


ROW = b"7" + 784 * b",0" + b"\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no table of 784 pixels a row"),
        (b"a,b\n1,2\n", "has 2 columns where a label and 784 pixels belong"),
        (ROW + b"7,0\n", "is no table of 784 pixels a row"),
        (ROW.replace(b",0\n", b",x\n"), "holds other numbers than 0 to 255"),
        (ROW.replace(b",0\n", b",0.5\n"), "holds other numbers than 0 to 255"),
        (ROW.replace(b",0\n", b",256\n"), "holds other numbers than 0 to 255"),
        (ROW.replace(b",0\n", b",-1\n"), "holds other numbers than 0 to 255"),
        (ROW.replace(b",0\n", b",\n"), "holds other numbers than 0 to 255"),
        (ROW.replace(b"7", b"10") * 6, "holds the label 10; labels must be from 0 to 9"),
        (HEADER.encode() + b"\n", "holds no image"),
        (HEADER.replace("label,", "").encode() + b"\n" + ROW[2:], "has no labels"),
        (ROW, "holds 1 image; it takes at least two"),
        (bytes(range(256)) * 9, "is no table of 784 pixels a row"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "pointer of Git LFS"),
    ],
)
def test_what_is_no_such_csv(put, tmp_path, content, said):
    path = put(tmp_path / "mine", "train.csv", content)
    with pytest.raises(UserError) as error:
        read_images(str(tmp_path / "mine"))
    sentence = str(error.value)
    assert sentence.startswith(str(path))
    assert said in sentence
    assert "\n" not in sentence
    assert len(sentence) < 600


@pytest.mark.parametrize("content", [b"", b"PK\3\4 damaged", b"no archive"])
def test_what_is_no_such_archive(put, tmp_path, content):
    path = put(tmp_path / "mine", "mnist.npz", content)
    with pytest.raises(UserError) as error:
        read_images(str(tmp_path / "mine"))
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_an_archive_of_other_arrays(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=np.zeros((2, 28, 28)), y_train=[0, 1], x_test=[0], y_test=[0])
    with pytest.raises(UserError, match="holds other arrays than bytes"):
        read_images(str(tmp_path))
    np.savez(tmp_path / "mnist.npz", x_train=np.array([{}]), y_train=[0], x_test=[0], y_test=[0])
    with pytest.raises(UserError, match=r"is no mnist\.npz as Keras has it"):  # pickled objects are not read
        read_images(str(tmp_path))


def test_what_is_nowhere_says_under_which_names_it_was_looked_for(places):
    with pytest.raises(MissingData) as error:
        read_images("mnist")
    for name in (f"{FILES[0]}.gz", "train-images.idx3-ubyte", "MNIST/raw", "mnist_train.csv", "mnist.npz"):
        assert name in str(error.value)
    assert "sem compressão" in error.value.in_language("pt-BR")


def test_a_folder_that_lacks_a_file_says_what_else_would_do(arrays, put, tmp_path):
    for path, content in zip(LAYOUTS["Kaggle, nested"], arrays):
        put(tmp_path / "mine", path, content)
    shutil.rmtree(tmp_path / "mine" / FILES[3])
    with pytest.raises(UserError) as error:
        read_images(str(tmp_path / "mine"))
    assert str(error.value).startswith(f"{tmp_path / 'mine'} lacks {FILES[3]};")
    assert "mnist_train.csv" in str(error.value)
    assert Path(tmp_path / "mine").is_dir()
