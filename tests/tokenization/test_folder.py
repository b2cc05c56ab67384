"""A folder appears whole or not at all, and replaces only its like."""

import errno
import os

import pytest

from hf_llm.config import UserError
from hf_llm.tokenization import folder
from hf_llm.tokenization.folder import new_folder

FILES = ("tokenizer.json", "part-*.npy")


def make(target, content: str = "new", overwrite: bool = False, fail: BaseException | None = None):
    with new_folder(target, "tokenizer", FILES, overwrite) as folder:
        (folder / "tokenizer.json").write_text(content)
        if fail:
            raise fail


def test_it_appears_at_the_end(tmp_path):
    target = tmp_path / "deep" / "folder"
    with new_folder(target, "tokenizer", FILES, overwrite=False) as folder:
        (folder / "part-1.npy").write_text("")
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["part-1.npy"]
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("failure", [UserError("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_failure_leaves_what_was_there(tmp_path, failure):
    make(tmp_path / "folder", "old")
    with pytest.raises(type(failure)):
        make(tmp_path / "folder", overwrite=True, fail=failure)
    assert (tmp_path / "folder" / "tokenizer.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), Exception("IO Error: No space left on device (os error 28)")]
)
def test_a_full_disk_gets_a_sentence(tmp_path, failure):
    with pytest.raises(UserError, match=r"could not be written \(.*No space left on device.*\); nothing was changed"):
        make(tmp_path / "folder", fail=failure)
    assert list(tmp_path.iterdir()) == []


def test_only_its_like_is_replaced_and_only_when_asked(tmp_path):
    target = tmp_path / "folder"
    make(target, "old")
    with pytest.raises(UserError, match=r"holds a tokenizer already; .* overwrite"):
        make(target)
    make(target, overwrite=True)
    assert (target / "tokenizer.json").read_text() == "new"
    (target / "model.safetensors").write_text("weeks of work")
    with pytest.raises(UserError, match=r"holds other things than a tokenizer \(model\.safetensors\)"):
        make(target, overwrite=True)
    assert (target / "model.safetensors").exists()


def test_an_empty_folder_is_taken_and_a_file_is_not(tmp_path):
    (tmp_path / "folder").mkdir()
    make(tmp_path / "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        make(tmp_path / "file", overwrite=True)


def test_what_a_killed_process_left_is_no_part_of_it(tmp_path):
    left = tmp_path / ".folder.tmp"
    left.mkdir()
    (left / "part-9.npy").write_text("half")
    make(tmp_path / "folder")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["tokenizer.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_two_writers_at_once(tmp_path):
    with new_folder(tmp_path / "folder", "tokenizer", FILES, False) as folder:
        (folder / "tokenizer.json").write_text("first")
        with pytest.raises(UserError, match="in use by another process"):
            make(tmp_path / "folder")
    assert (tmp_path / "folder" / "tokenizer.json").read_text() == "first"


def test_what_file_managers_leave_is_in_nobodys_way(tmp_path):
    target = tmp_path / "folder"
    (target / "@eaDir").mkdir(parents=True)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._tokenizer.json"):
        (target / name).write_text("")
    make(target, "old")
    (target / ".DS_Store").write_text("")
    (target / "@eaDir").mkdir()
    with pytest.raises(UserError, match="holds a tokenizer already"):
        make(target)
    make(target, overwrite=True)
    assert [path.name for path in target.iterdir()] == ["tokenizer.json"]
    left = tmp_path / ".folder.tmp"  # of a process that was killed, and a file manager looked in
    (left / "@eaDir").mkdir(parents=True)
    (left / ".DS_Store").write_text("")
    make(target, overwrite=True)
    assert (target / "tokenizer.json").read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_a_link_stays_one_and_its_target_is_written(tmp_path):
    far, link = tmp_path / "disk" / "folder", tmp_path / "here"
    far.mkdir(parents=True)
    link.symlink_to(far)
    make(link, "old")
    make(link, "new", overwrite=True)
    assert link.is_symlink()
    assert (far / "tokenizer.json").read_text() == "new"
    assert [path.name for path in far.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY])
def test_a_folder_that_cannot_be_replaced_stays_as_it_was(tmp_path, monkeypatch, number):
    make(tmp_path / "folder", "old")

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder.os, "replace", refuse)
    with pytest.raises(UserError, match="a disk of its own, so name a folder in it"):
        make(tmp_path / "folder", overwrite=True)
    assert (tmp_path / "folder" / "tokenizer.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_input_that_cannot_be_read_is_not_told_as_the_output(tmp_path):
    """No room that one makes, and no other folder, would help."""
    closed = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "input.txt"))
    with pytest.raises(UserError) as said:
        make(tmp_path / "folder", fail=closed)
    assert str(said.value) == f"{tmp_path / 'input.txt'} cannot be read (Permission denied); nothing was changed"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / ".folder.tmp" / "part-1.npy"))
    with pytest.raises(UserError, match=r"folder could not be written .*No space left on device.*make room or name an"):
        make(tmp_path / "folder", fail=full)
