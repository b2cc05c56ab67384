"""Writing so that a reader, or a power cut, meets the whole new content or the whole old one.

The order is always the same: write beside the target, fsync the content, rename, fsync the folder that holds the
name. A rename without the first fsync may survive a crash while the content does not (Pillai et al., "All file
systems are not created equal", OSDI 2014); without the second one the new name may be forgotten. Where a file system
has no such call, that is said once and the order stays the same.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from hf_llm.config import UserError, where_possible

OF_ITS_OWN = (errno.EXDEV, errno.EBUSY)  # what a rename over the border of a disk, or of a disk itself, ends with


def sync_file(path: Path) -> None:
    """Return once the file's content is on the disk."""
    with where_possible("sync", path):
        _sync(path, os.O_RDWR)  # Windows flushes only what is open for writing


def sync_folder(path: Path) -> None:
    """Return once the names in the folder are on the disk. Windows has no such call."""
    if os.name == "posix":
        with where_possible("sync", path):
            _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(temporary: Path, target: Path) -> None:
    """Put a finished file or folder at `target`, in one step that survives a power cut."""
    os.replace(temporary, target)
    sync_folder(target.parent)


def make_folder(path: Path) -> None:
    """Create the folder, and those above it, where they are missing; the new names survive a power cut."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file's content."""
    temporary = temporary_name(path)
    try:
        temporary.write_bytes(content)
        sync_file(temporary)
        replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()  # gives a full disk its space back
        raise


def write_text(path: Path, text: str) -> None:
    """Replace the file's content with `text`, in UTF-8; a byte that is none, in the name of a file, as its escape."""
    write_bytes(path, to_bytes(text))


def write_json(path: Path, value) -> None:
    """Replace the file's content with `value` as JSON."""
    write_text(path, to_json(value))


def temporary_name(path: Path) -> Path:
    """Return where the new content of `path` is written before it is renamed into place."""
    return path.with_name(f".{path.name}.tmp")


def to_json(value) -> str:
    """Return JSON as this project writes it: two spaces, keys in the order given, a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def ordinary_mode(path: Path) -> None:
    """Give a file the mode that any new file beside it has; safetensors writes 0600.

    The mode is read off a new file: asking for the umask would mean to change it for all threads.
    """
    probe = path.with_name(f".{path.name}.mode")
    probe.touch()
    with where_possible("modes", path):
        shutil.copymode(probe, path)
    probe.unlink()


def to_bytes(text: str) -> bytes:
    """Return UTF-8. What stands for a byte that is none (PEP 383) becomes `\\udce9`: JSON reads that back as it was."""
    return text.encode("utf-8", "backslashreplace")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn a full disk, or one that cannot be written, into a clear error message.

    Args:
        what: Subject of the message: "the log runs/verdict/log.jsonl".

    Raises:
        UserError: For an error of the operating system in the body.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = _reason(error)
        if reason is None:
            raise
        mend = "mend that, then run the same command again to go on"
        if getattr(error, "errno", None) in OF_ITS_OWN:
            mend = "the folder is a disk of its own, so name a folder in it"
        raise UserError(f"{what} could not be written ({reason}); what was there before is intact: {mend}") from None


def _reason(error: OSError | SafetensorError) -> str | None:
    """Return what the operating system said; None for an error that is not its own."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    # safetensors has one class for all: "Error while serializing: I/O error: No space left on device (os error 28)"
    said = re.search(r"([^:]*) \(os error \d+\)", str(error))
    return said[1].strip() if said else None
