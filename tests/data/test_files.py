"""Which files a name means, and that what is left out is counted with its reason."""

import doctest
import os
import pickle
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.data import files, find_files
from hf_llm.data.reading import Reading

KINDS = (".txt", ".md")
links = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes files below a folder of its own, and returns that folder."""

    def write(*names: str) -> Path:
        for name in names:
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return tmp_path / "tree"

    return write


def found(folder: Path, *names: str) -> tuple[list[str], dict[str, int]]:
    """Return the files that names mean, as paths below `folder`, and what was left out."""
    reading = Reading()
    paths = find_files([str(name) for name in names or (folder,)], KINDS, reading)
    return [path.relative_to(folder).as_posix() for path in paths], reading.left_out


def test_a_folder_is_all_below_it_in_the_order_of_the_paths(tree):
    folder = tree("b.txt", "a/z.md", "a/b/c.TXT", "c.txt.gz")
    assert found(folder) == (["a/b/c.TXT", "a/z.md", "b.txt", "c.txt.gz"], {})


def test_hidden_files_and_folders_and_other_kinds_are_left_out_and_counted(tree):
    folder = tree("a.txt", ".git/b.txt", "c/.ipynb_checkpoints/d.txt", "c/._e.txt", "cover.jpg", "Thumbs.db", "LICENSE")
    assert found(folder) == (["a.txt"], {"hidden": 3, "kind": 3})


@links
def test_a_linked_folder_is_read_once_and_without_circles(tree, tmp_path):
    folder = tree("a.txt", "sub/b.txt")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.txt").write_text("c")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(folder / "sub")
    (folder / "sub" / "up").symlink_to("..")  # two such links, and a walk that follows them never ends
    (folder / "sub" / "upper").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    expected = ["a.txt", "linked/c.txt", "sub/b.txt"]
    assert found(folder) == (expected, {"twice": 2, "circle": 2})
    assert found(folder, folder / "**" / "*.txt") == (expected, {"twice": 2, "circle": 2})


@links
def test_a_linked_file_is_read_once_and_a_link_to_nothing_is_named(tree):
    folder = tree("b.txt")
    (folder / "a.txt").symlink_to("b.txt")
    (folder / "c.txt").symlink_to("nowhere.txt")
    os.mkfifo(folder / "d.txt")
    assert found(folder) == (["b.txt"], {"twice": 1, "broken": 1, "special": 1})


def test_what_is_named_twice_is_read_once(tree):
    folder = tree("a.txt", "sub/b.txt")
    names = (folder, folder / "sub", folder / "a.txt", folder / "*.txt")
    assert found(folder, *names) == (["a.txt", "sub/b.txt"], {"twice": 3})


def test_two_patterns_of_one_folder_mean_the_files_of_both(tree):
    folder = tree("a.txt", "sub/b.md", "sub/c.txt")
    below = folder / "**"
    assert found(folder, below / "*.md", below / "*.txt") == (["sub/b.md", "a.txt", "sub/c.txt"], {})
    assert found(folder, below / "*.md", folder) == (["sub/b.md", "a.txt", "sub/c.txt"], {"twice": 1})


def test_a_name_is_a_file_before_it_is_a_pattern(tree):
    folder = tree("livros [2024]/b.txt", "livros [2024]/sub/c.txt", "livros 2/b.txt", "[a].txt", "a.txt")
    for name in ("livros [2024]/b.txt", "[a].txt"):
        assert found(folder, folder / name) == ([name], {})
    assert found(folder, folder / "livros [2024]" / "*.txt")[0] == ["livros [2024]/b.txt"]
    below = ["livros [2024]/b.txt", "livros [2024]/sub/c.txt"]
    assert found(folder, folder / "livros [2024]")[0] == below
    assert found(folder, folder / "livros [2024]" / "**" / "*.txt")[0] == below
    assert found(folder, folder / "livros*" / "b.txt")[0] == ["livros 2/b.txt", "livros [2024]/b.txt"]


def test_a_pattern_means_what_it_means_when_the_shell_expands_it(tree):
    folder = tree("a.txt", "b.jpg", "sub/c.txt", ".d.txt")
    assert found(folder, folder / "*") == (["a.txt", "sub/c.txt"], {"kind": 1})
    assert found(folder, folder / "**") == (["a.txt", "sub/c.txt"], {"kind": 1, "hidden": 1})


@pytest.mark.parametrize(("name", "sentence"), [("", "a name of a file or folder is empty"), (" ", "no such file")])
def test_an_empty_name_is_not_the_current_folder(tree, monkeypatch, name, sentence):
    monkeypatch.chdir(tree("a.txt"))
    assert find_files(["."], KINDS, Reading()) == [Path("a.txt")]
    with pytest.raises(UserError, match=sentence):
        find_files([name], KINDS, Reading())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.txt", "no such file or source"),
        ("*.md", "holds no text, JSON lines or parquet file that can be read"),
        ("empty", "holds no text, JSON lines or parquet file that can be read"),
        ("b.jpg", "is of an unknown kind; it should end in .txt, .md"),
    ],
)
def test_what_means_nothing_is_refused_even_beside_what_means_something(tree, name, sentence):
    folder = tree("a.txt", "b.jpg", "empty/.hidden.txt")
    with pytest.raises(UserError, match=sentence):
        find_files([str(folder / "a.txt"), str(folder / name)], KINDS, Reading())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="closes a folder to its user")
def test_what_this_user_may_not_read_is_named():
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to anybody else than root
    try:
        for name in ("a.txt", "b.txt", "closed/c.txt"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
        folder.chmod(0o755)
        (folder / "b.txt").chmod(0)
        (folder / "closed").chmod(0)
        paths, reading = as_nobody(folder)
        assert paths == [folder / "a.txt"]
        assert reading.left_out == {"closed": 2}
        assert reading.names == {"closed": [str(folder / "b.txt"), str(folder / "closed")]}
    finally:
        (folder / "closed").chmod(0o755)
        shutil.rmtree(folder)


def as_nobody(folder: Path) -> tuple[list[Path], Reading]:
    """Find the files of a folder in a child that is not root, to whom nothing is closed."""
    receive, send = os.pipe()
    if not (child := os.fork()):
        if os.geteuid() == 0:
            os.setuid(65534)
        reading = Reading()
        os.write(send, pickle.dumps((find_files([str(folder)], KINDS, reading), reading)))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(send)
    with os.fdopen(receive, "rb") as stream:
        return pickle.load(stream)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(files).failed == 0
