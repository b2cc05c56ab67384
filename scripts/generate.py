"""The same as `hf-llm generate`."""

from hf_llm.commands.generate import main

if __name__ == "__main__":
    main()
