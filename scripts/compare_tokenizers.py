"""The same as `hf-llm compare_tokenizers`."""

from hf_llm.commands.compare_tokenizers import main

if __name__ == "__main__":
    main()
