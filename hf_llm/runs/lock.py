"""One process per run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hf_llm.config import UserError, advice
from hf_llm.runs.atomic import make_folder

NAME = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the run folder while the body runs. The operating system frees it when the process dies, however it dies.

    Raises:
        UserError: When another process holds it, or it cannot be created or written.
    """
    lock = FileLock(folder / NAME, timeout=0)
    try:
        make_folder(folder)
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{folder} is in use by another process; wait for it or stop it{_elsewhere('or name another {}')}"
        ) from None
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be written ({error.strerror or error}){_elsewhere('name another {}')}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _elsewhere(way: str) -> str:
    return advice(output_dir=way, dir=way)
