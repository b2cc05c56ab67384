"""The same as `hf-llm plan`."""

from hf_llm.commands.plan import main

if __name__ == "__main__":
    main()
