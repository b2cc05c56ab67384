"""What file managers leave is nobody's work."""

from pathlib import Path

import pytest

from hf_llm.config import is_dropping, without_droppings


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "._model.safetensors", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", ".directory", "@eaDir",
     ".nfs000000000123", ".fuse_hidden0000000200000001", ".stfolder", ".syncthing.run.json.tmp", "~syncthing~x.tmp",
     ".dropbox.attr", "Icon\r", ".ipynb_checkpoints"],
)  # fmt: skip
def test_a_dropping(name):
    assert is_dropping(name)


@pytest.mark.parametrize(
    "name", ["run.json", ".git", "thesis.tex", ".env", "DS_Store", "nfs", "$RECYCLE.BIN", ".stversions"]
)
def test_what_is_somebodys(name):
    assert not is_dropping(name)


def test_the_rest_comes_in_order():
    assert without_droppings(map(Path, ["b", ".DS_Store", "a"])) == [Path("a"), Path("b")]
