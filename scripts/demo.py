"""The same as `hf-llm demo`."""

from hf_llm.commands.demo import main

if __name__ == "__main__":
    main()
