"""What every command does around its one call: errors for people on one line, bugs with their traceback."""

import errno
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from hf_llm.config.errors import UserError, one_line, quoted


def command(main: Callable[[], int | None]) -> Callable[[], None]:
    """Wrap a command's `main()` so that it exits with 0, with 2 after a `UserError`, with 130 after Ctrl-C.

    A reader that leaves early, as in `hf-llm generate … | head`, ends it silently with 141, as the shell counts.
    """

    @functools.wraps(main)
    def wrapped() -> None:
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
            if error.errno != errno.ENAMETOOLONG:
                raise
            print(f"error: no file or folder can have so long a name: {quoted(repr(error.filename))}", file=sys.stderr)
            code = 2
        sys.exit(code)

    return wrapped


def program() -> str:
    """Return how `hf-llm` is typed here: by its name where the shell finds it, else by its path, seen from here."""
    if shutil.which("hf-llm"):
        return "hf-llm"
    path = Path(sys.executable).with_name("hf-llm.exe" if os.name == "nt" else "hf-llm")
    if not path.exists():
        return "python -m hf_llm"
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _set_environment() -> None:
    """Set what libraries read when they load, which in a script is later than this."""
    # OpenMP's threads sleep while they wait instead of spinning. On two cores that something else uses too, a
    # training step spun for 1.2 s that takes 0.15 s asleep; docs/lab-notebook.md has the figures.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # transformers and huggingface_hub draw their bars into a log file too, where nobody sees them move
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
