"""`python -m hf_llm`: the same as `hf-llm`.

Python itself needs a few modules to come this far (collections, contextlib, functools, importlib, keyword, operator,
reprlib, types, warnings): files of these names in the working folder still end `python -m`, but not `hf-llm`.
"""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working folder, where a user's random.py would be taken for Python's

from hf_llm.commands.program import main

if __name__ == "__main__":
    main()
