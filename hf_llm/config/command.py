"""What every script does around its one call: errors for people on one line, bugs with their traceback."""

import functools
import sys
from collections.abc import Callable

from hf_llm.config.errors import UserError


def command(main: Callable[[], int | None]) -> Callable[[], None]:
    """Wrap a script's `main()` so that it exits with 0, with 2 after a `UserError`, with 130 after Ctrl-C."""

    @functools.wraps(main)
    def wrapped() -> None:
        for stream in (sys.stdout, sys.stderr):
            # a Windows console may not hold every character of a sample; a '?' beats a traceback
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            sys.exit(main() or 0)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            sys.exit(130)

    return wrapped
