"""The same as `hf-llm exercise`."""

from hf_llm.commands.exercise import main

if __name__ == "__main__":
    main()
