"""The same as `hf-llm screenshots`."""

from hf_llm.commands.screenshots import main

if __name__ == "__main__":
    main()
