"""The same as `hf-llm benchmark`."""

from hf_llm.commands.benchmark import main

if __name__ == "__main__":
    main()
