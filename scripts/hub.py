"""The same as `hf-llm hub`."""

from hf_llm.commands.hub import main

if __name__ == "__main__":
    main()
