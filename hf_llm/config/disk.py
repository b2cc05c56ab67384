"""What a file system cannot do is said once, and gone on without.

Network shares, FUSE, exFAT and the folders of cloud drives lack one or the other of these: fsync (of a folder most of
all), file modes, locks. None of them changes a number; each is a protection that is not to be had there. What a system
answers instead is not one error but a family: EINVAL from CIFS and 9p, ENOSYS and ENOTSUP from FUSE, EPERM from FAT's
chmod, ENOLCK from NFS, EBADF, EISDIR or EACCES where a folder cannot be opened to be synced (PostgreSQL's fsync_fname
passes over the same ones). A full or a broken disk answers ENOSPC, EDQUOT, EIO or EROFS, and those are errors.
"""

import errno
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

Protection = Literal["sync", "modes", "lock"]
LOST: dict[Protection, str] = {
    "sync": "does not say when a file is on the disk (fsync): a power cut may take the newest checkpoint, and the run "
    "then goes on from the one before it",
    "modes": "has no file modes of its own (chmod): who may read the files is what the system decides there",
    "lock": "has no locks (flock): a marker file keeps other processes out, and one that a killed process of another "
    "machine left must be removed by hand",
}
NOT_TO_BE_HAD = {
    getattr(errno, name)
    for name in ("EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EPERM", "EACCES", "ENOLCK", "EBADF", "EISDIR")
    if hasattr(errno, name)
}


@contextmanager
def where_possible(protection: Protection, path: Path) -> Iterator[None]:
    """Go on after the body where the file system of `path` cannot do what it asks for, with one warning a process."""
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_TO_BE_HAD:
            raise
        warn_without(protection, str(path), error.strerror or str(error))


def warn_without(protection: Protection, path: str, reason: str) -> None:
    """Say, once in a process, what is not guaranteed."""
    if protection not in _said():
        _said().add(protection)
        logger.warning("the disk of %s %s (%s)", path, LOST[protection], reason)


@cache
def _said() -> set[Protection]:
    return set()


def free_bytes(folder: Path) -> int | None:
    """Return how much may be written to the disk that `folder` is, or will be, on; None where the disk does not say.

    Some network and cloud folders answer nothing, or that they have no size at all.
    """
    existing = next((each for each in (folder.absolute(), *folder.absolute().parents) if _is_there(each)), Path.cwd())
    try:
        disk = shutil.disk_usage(existing)
    except OSError:
        return None
    return disk.free if disk.total else None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # closed to this user
        return False
