"""The same as `hf-llm discuss`."""

from hf_llm.commands.discuss import main

if __name__ == "__main__":
    main()
