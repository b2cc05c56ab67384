"""Writing so that a reader, or a power cut, meets the whole new content or the whole old one.

The order is always the same: write beside the target, fsync the content, rename, fsync the folder that holds the
name. A rename without the first fsync may survive a crash while the content does not (Pillai et al., "All file
systems are not created equal", OSDI 2014).
"""

import hashlib
import json
import os
import shutil
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return once the file's content is on the disk."""
    descriptor = os.open(path, os.O_RDWR)  # Windows flushes only what is open for writing
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Return once the names in the folder are on the disk. Windows has no such call."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(temporary: Path, target: Path) -> None:
    """Put a finished file or folder at `target`, in one step that survives a power cut."""
    os.replace(temporary, target)
    sync_folder(target.parent)


def write_text(path: Path, text: str) -> None:
    """Replace the file's content with `text`."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    replace(temporary, path)


def write_json(path: Path, value) -> None:
    """Replace the file's content with `value` as JSON."""
    write_text(path, to_json(value))


def to_json(value) -> str:
    """Return JSON as this project writes it: two spaces, keys in the order given, a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def copy_file(source: Path, target: Path) -> None:
    """Copy and sync a file that nobody reads yet."""
    shutil.copyfile(source, target)
    sync_file(target)


def ordinary_mode(path: Path) -> None:
    """Give a file the mode that any new file has; safetensors writes 0600."""
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(path, 0o666 & ~mask)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        if hasattr(hashlib, "file_digest"):  # Python 3.11
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
