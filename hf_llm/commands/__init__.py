"""The commands: `hf-llm NAME`, and the file of that name in scripts/, call the `main` of the file NAME here, which
parses a config and calls one function of the packages below.
"""

import os
import sys

# An empty entry, as `PYTHONPATH=$PYTHONPATH:…` makes one, is the working folder, before Python's own modules: a module
# `random` of the user's would be taken for Python's. This is before the first import that could meet it.
if "PYTHONPATH" in os.environ and {"", "."} & set(os.environ["PYTHONPATH"].split(os.pathsep)):
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != os.getcwd()]
