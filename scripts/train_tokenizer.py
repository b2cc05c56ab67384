"""The same as `hf-llm train_tokenizer`."""

from hf_llm.commands.train_tokenizer import main

if __name__ == "__main__":
    main()
