"""`python -m hf_llm`: the same as `hf-llm`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working folder, where a user's random.py would be taken for Python's

from hf_llm.commands.program import main

if __name__ == "__main__":
    main()
