"""How another Python is started for a piece of work: with this package, and without what lies in the working folder.

`python -m` and `python -c` look into the working folder first, where a user's module `random` or `tokenize` would be
taken for Python's own, and a folder datasets/ for the library. `python -m hf_llm` itself leaves the folder out as soon
as it can (hf_llm/__main__.py); what a library starts heeds PYTHONSAFEPATH, which each command sets.
"""

import os
import sys

from hf_llm.config.files import SOURCE


def python(*words: str) -> list[str]:
    """Return the command that runs this Python with `words`: `-m`, a module, its arguments."""
    return [sys.executable, "-P", *words]


def child_environment(**more: str) -> dict[str, str]:
    """Return the variables for it: those of this process, with what the package needs to be found, and `more`.

    An empty entry of PYTHONPATH is the working folder, and goes; SOURCE comes first, unless Python finds it anyway.
    """
    installed = SOURCE.name in ("site-packages", "dist-packages")
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", ".")]
    path = os.pathsep.join([*([] if installed else [str(SOURCE)]), *map(os.path.abspath, given)])
    return os.environ | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"} | more  # of its own children too
