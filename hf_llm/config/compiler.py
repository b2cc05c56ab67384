"""The C++ compiler of this machine, which torch.compile and the generation step need."""

import os
import shutil

NAMES = ("c++", "g++", "clang++")  # where CXX names none


def cpp_compiler() -> str | None:
    """Return the path of a C++ compiler, None where there is none."""
    given = os.environ.get("CXX")
    return next(filter(None, map(shutil.which, [*([given] if given else []), *NAMES])), None)
