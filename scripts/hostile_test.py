"""The same as `hf-llm hostile_test`."""

from hf_llm.commands.hostile_test import main

if __name__ == "__main__":
    main()
