"""The same as `hf-llm prepare_corpus`."""

from hf_llm.commands.prepare_corpus import main

if __name__ == "__main__":
    main()
