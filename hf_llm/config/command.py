"""What every command does around its one call: errors for people on one line, bugs with their traceback."""

import errno
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from hf_llm.config.errors import UserError, one_line, quoted
from hf_llm.config.shell import typed

# what the operating system refuses wherever a path is looked at, and a person can mend
REFUSALS = {
    errno.ENAMETOOLONG: "no file or folder can have so long a name",
    errno.EACCES: "this file or folder is closed to you; ask for the right to it, or name another",
    errno.EPERM: "this file or folder must not be changed; name another",
    errno.EROFS: "this disk is read-only; name a folder on another",
    errno.ELOOP: "these links lead in a circle; name the file or folder itself",
    errno.ENOTDIR: "this lies below a file; name a folder",
    errno.EILSEQ: "the disk takes no such name; name another",
    errno.ENOSPC: "this disk is full; make room, then give the command again",
    errno.EDQUOT: "your share of this disk is full; make room, then give the command again",
    errno.ESTALE: "the network disk has lost this; connect it again, then give the command again",
}
FULL = (errno.ENOSPC, errno.EDQUOT)


def command(main: Callable[[], int | None]) -> Callable[[], None]:
    """Wrap a command's `main()` so that it exits with 0, with 2 after a `UserError`, with 130 after Ctrl-C.

    A reader that leaves early, as in `hf-llm generate … | head`, ends it silently with 141, as the shell counts.
    """

    @functools.wraps(main)
    def wrapped() -> None:
        _open_streams()
        _set_environment()
        for stream in (sys.stdout, sys.stderr):
            # a Windows console may not hold every character of a sample; a '?' beats a traceback
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            code = main() or 0
            sys.stdout.flush()
        except UserError as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            code = 2
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            code = 130
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python flushes it again, and complains
            code = 141
        except OSError as error:
            if error.errno not in REFUSALS or (error.filename is None and error.errno not in FULL):
                raise
            if error.filename is None:  # what is full may be the file that stdout goes to
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            where = "" if error.filename is None else f": {quoted(repr(error.filename))}"
            print(f"error: {REFUSALS[error.errno]}{where}", file=sys.stderr)
            code = 2
        sys.exit(code)

    return wrapped


def program() -> str:
    """Return how `hf-llm` is typed here: by its name where the shell finds it, else by its path, seen from here.

    It is quoted for a shell, as `typed` does it.
    """
    if shutil.which("hf-llm"):
        return "hf-llm"
    path = Path(sys.executable).with_name("hf-llm.exe" if os.name == "nt" else "hf-llm")
    if not path.exists():
        return "python -m hf_llm"
    return typed(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _open_streams() -> None:
    """Open what a parent closed: the next file would get the stream's number, and Python has None in its place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open until the process ends


def _set_environment() -> None:
    """Set what libraries read when they load, which in a script is later than this."""
    # OpenMP's threads sleep while they wait instead of spinning. On two cores that something else uses too, a
    # training step spun for 1.2 s that takes 0.15 s asleep; docs/lab-notebook.md has the figures.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["PYTHONSAFEPATH"] = "1"  # a Python that any library starts does not look into the working folder
    # transformers and huggingface_hub draw their bars into a log file too, where nobody sees them move
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
