"""A folder that appears whole or not at all: written beside its place under a temporary name, synced, renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from hf_llm.config import UserError, advice, library_folder, require, without_droppings
from hf_llm.runs import lock
from hf_llm.runs.atomic import disk_errors, replace, sync_file, sync_folder

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")


@contextmanager
def new_folder(target: str | Path, kind: str, files: tuple[str, ...], overwrite: bool) -> Iterator[Path]:
    """Yield an empty folder to write into; it takes the place of `target` when the body ends without an exception.

    Args:
        target: Where the folder will be.
        kind: What it holds, for messages.
        files: Name patterns of what such a folder holds; a folder with anything else in it is never replaced.
        overwrite: Whether a folder that holds only `files` may be replaced.

    Raises:
        UserError: When `target` may not be replaced, cannot be written, or another process is writing it.
    """
    given, target = target, named_folder(target)
    check_free(target, kind, files, overwrite)
    temporary, old = (target.with_name(f".{target.name}.{state}") for state in ("tmp", "old"))
    with lock.hold(temporary, shown=given):
        try:
            for leftover in without_droppings(temporary.iterdir()):  # of a process that was killed
                if leftover.name not in lock.NAMES:
                    leftover.unlink()
            yield temporary
            for path in without_droppings(temporary.iterdir()):
                sync_file(path)
            sync_folder(temporary)
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if not isinstance(error, OSError) and "os error" not in str(error):  # tokenizers' own class says the latter
                raise
            if _is_input(error, temporary):
                raise UserError(f"{error.filename} cannot be read ({error.strerror}); nothing was changed") from None
            elsewhere = advice("make room", output_dir="make room or name another {}")
            raise UserError(f"{given} could not be written ({error}); nothing was changed{elsewhere}") from None
    for name in lock.NAMES:
        (temporary / name).unlink(missing_ok=True)
    check_free(target, kind, files, overwrite)  # it may have appeared in the meantime
    with disk_errors(f"the {kind} {given}"):
        shutil.rmtree(old, ignore_errors=True)
        try:
            if target.exists():
                os.replace(target, old)
            replace(temporary, target)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            if old.exists() and not target.exists():
                os.replace(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def named_folder(name: str | Path) -> Path:
    """Return the folder that `name` means, by its own name where that is `.`; errors as of `library_folder`."""
    folder = library_folder(name)
    return folder if folder.name not in ("", "..") else Path(os.path.abspath(folder))


def check_free(target: Path, kind: str, files: tuple[str, ...], overwrite: bool) -> None:
    """Refuse a `target` that holds something which `new_folder` must not replace."""
    try:
        require(not target.is_file(), f"{target} is a file; name a folder")
        names = [path.name for path in without_droppings(target.iterdir())] if target.is_dir() else []
    except OSError as error:
        raise UserError(f"{target} cannot be looked into ({error.strerror}); name another folder") from None
    others = [name for name in names if not any(fnmatch(name, pattern) for pattern in files)]
    require(not others, f"{target} holds other things than a {kind} ({min(others, default='')}); name another folder")
    replaced = advice(overwrite="or add {}")
    require(overwrite or not names, f"{target} holds a {kind} already; name another folder{replaced}")


def _is_input(error: BaseException, temporary: Path) -> bool:
    """Whether what failed is a file that was to be read for the new folder, and not the folder."""
    named = isinstance(error, OSError) and isinstance(error.filename, (str, os.PathLike))
    return named and not Path(error.filename).absolute().is_relative_to(temporary)
