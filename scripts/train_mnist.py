"""The same as `hf-llm train_mnist`."""

from hf_llm.commands.train_mnist import main

if __name__ == "__main__":
    main()
