"""Gradio imported in half of the time: without the type stubs that it writes for editors.

At every import it parses the source of all its components and renders a stub of each, of which nothing is used while an
app runs; there is no setting against it. It does so for what lies in a file, so here its components lie in none.

At its first call it asks matplotlib which backend is set, and where none is, matplotlib imports pyplot to find one:
more than a second, for figures that this app does not draw.
"""

import gc
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def quick_start() -> Iterator[None]:
    """Import Gradio, and start what stays within the context: no collection looks at it, then or later."""
    find = inspect.getfile

    def getfile(which: object) -> str:
        if type(which).__name__ == "ComponentMeta":
            raise OSError("a component of Gradio")
        return find(which)

    os.environ.setdefault("MPLBACKEND", "agg")
    gc.disable()
    with mock.patch("inspect.getfile", getfile):
        import gradio  # noqa: F401
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
