"""One process per run folder.

The lock is the operating system's (flock), which frees it when the process dies, however it dies. A file system
without it gets a marker file, made by the one process that finds none (O_EXCL), with the holder's process and machine
in it. filelock writes it and takes over one whose process is gone; where the file system cannot exchange two names in
one step (exFAT, SMB), it leaves that to us.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from hf_llm.config import UserError, advice, warn_without
from hf_llm.config.disk import NOT_TO_BE_HAD
from hf_llm.runs.atomic import make_folder

NAME, MARKER = ".lock", ".held"
NAMES = (NAME, MARKER)  # what a lock leaves in a folder
SETTLED = 0.1  # seconds after which two that took over the same marker both see whose it is
FOREVER = -1.0


class InUse(UserError):
    """Another process holds the folder."""


@contextmanager
def hold(folder: Path, wait: bool = False, shown: str | Path | None = None) -> Iterator[None]:
    """Hold the run folder while the body runs.

    Args:
        folder: It is made where there is none.
        wait: Whether to wait for a process that holds it.
        shown: What the message calls it, where the folder stands in for another one.

    Raises:
        InUse: When another process holds it.
        UserError: When it cannot be created or written.
    """
    try:
        make_folder(folder)
        lock = _acquired(folder, FOREVER if wait else 0)
    except Timeout:
        marker = folder / MARKER
        stale = f"; if no process of this or another machine does, remove {marker}" if marker.exists() else ""
        elsewhere = _elsewhere("or name another {}")
        raise InUse(
            f"{shown or folder} is in use by another process; wait for it or stop it{elsewhere}{stale}"
        ) from None
    except OSError as error:
        raise UserError(
            f"the folder {shown or folder} cannot be written ({error.strerror or error}){_elsewhere('name another {}')}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Say whether a process holds the folder."""
    if not any((folder / name).exists() for name in NAMES):
        return False
    try:
        with hold(folder):
            return False
    except InUse:
        return True


def _acquired(folder: Path, timeout: float) -> BaseFileLock:
    lock = FileLock(folder / NAME, timeout=timeout, fallback_to_soft=False)
    try:
        lock.acquire()
        return lock
    except Timeout:
        raise
    except OSError as error:
        if error.errno not in NOT_TO_BE_HAD:
            raise
        reason = error.strerror
    marker = SoftFileLock(folder / MARKER, timeout=timeout)
    try:
        marker.acquire()
    except Timeout:
        if not _is_left(folder / MARKER):
            raise
        marker.break_lock()
        marker.acquire()
        time.sleep(SETTLED)
        if not marker.is_lock_held_by_us:  # another process took it over, too, and was later
            raise
    warn_without("lock", str(folder), reason)
    return marker


def _is_left(marker: Path) -> bool:
    """Whether a marker is of this machine and its process is gone. Its lines are process, machine, start."""
    with tempfile.TemporaryDirectory() as name, SoftFileLock(Path(name, MARKER)):
        ours = Path(name, MARKER).read_text(encoding="utf-8").split()
    try:
        process, machine, *_ = marker.read_text(encoding="utf-8").split()
        return machine == ours[1] and not psutil.pid_exists(int(process))
    except (OSError, ValueError):
        return False


def _elsewhere(way: str) -> str:
    return advice(output_dir=way, dir=way)
