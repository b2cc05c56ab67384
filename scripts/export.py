"""The same as `hf-llm export`."""

from hf_llm.commands.export import main

if __name__ == "__main__":
    main()
