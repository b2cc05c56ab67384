"""The same as `hf-llm verify`."""

from hf_llm.commands.verify import main

if __name__ == "__main__":
    main()
