"""Ctrl-C while a library computes: Python hears it only between two of its own steps, in the main thread.

tokenizers trains and encodes in one call, of seconds or minutes. In a thread of its own that call leaves the main
thread free to hear.
"""

import atexit
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

Value = TypeVar("Value")


def interruptible(function: Callable[[], Value]) -> Value:
    """Return `function()`, or raise what it raises; a KeyboardInterrupt does not wait for its end.

    The call then goes on until it returns or the process ends, and nobody gets its result.
    """
    result = Future()

    def work() -> None:
        try:
            result.set_result(function())
        except BaseException as error:
            result.set_exception(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while not wait([result], timeout=0.2).done:  # without an end Windows would hear nothing
            pass
    except KeyboardInterrupt:
        atexit.register(_end_with, thread)
        raise
    return result.result()


def _end_with(thread: Thread) -> None:
    """End the process here if the thread still computes: Python would wait for it, or tear it out of the library."""
    if thread.is_alive():
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(130)
