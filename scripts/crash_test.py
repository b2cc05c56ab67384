"""The same as `hf-llm crash_test`."""

from hf_llm.commands.crash_test import main

if __name__ == "__main__":
    main()
