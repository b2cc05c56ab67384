"""One process a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hf_llm.config import UserError


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the run folder while the body runs. The operating system frees it when the process dies, however it dies.

    Raises:
        UserError: When another process holds it, or it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{folder} is in use by another process; wait for it, stop it, or name another --output_dir"
        ) from None
    except OSError as error:
        raise UserError(
            f"the run folder {folder} cannot be written ({error.strerror}); name another --output_dir"
        ) from None
    try:
        yield
    finally:
        lock.release()
