"""Gradio imported, and its pages built, in half of the time: nothing is worked out that no app uses, nor twice.

At every import it parses the source of all its components and renders a stub of each for editors, of which nothing is
used while an app runs; there is no setting against it. It does so for what lies in a file, so here its components lie
in none.

It compiles the same templates for the docstrings of each component, and for each component on a page, three times over,
it reads the signature of its class. Here the answers are remembered.

It imports pandas for components that this app does not have. Here pandas is imported when something of it is used.

At its first call it asks matplotlib which backend is set, and where none is, matplotlib imports pyplot to find one:
more than a second, for figures that this app does not draw.
"""

import functools
import gc
import importlib
import inspect
import os
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import ModuleType
from unittest import mock

import jinja2


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
    try:
        with remembered(inspect, "signature"), remembered(inspect, "getfullargspec"):
            with mock.patch("inspect.getfile", getfile), remembered(jinja2, "Template"), at_first_use("pandas"):
                import gradio  # noqa: F401
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def at_first_use(name: str) -> Iterator[None]:
    """Give whoever imports a package here one that imports it when something of it is used."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = package = ModuleType(name)
    package.__getattr__ = lambda attribute: getattr(importlib.import_module(name), attribute)
    try:
        yield
    finally:
        del sys.modules[name]


def remembered(module: object, name: str):
    """Return a context in which a function of one argument is called once for each; with more, as ever."""
    function = getattr(module, name)
    once = functools.cache(function)

    def call(which: object, *others: object, **given: object) -> object:
        plain = not others and not given and isinstance(which, Hashable)
        return once(which) if plain else function(which, *others, **given)

    return mock.patch.object(module, name, call)
