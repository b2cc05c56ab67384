"""The same as `hf-llm pretrain`."""

from hf_llm.commands.pretrain import main

if __name__ == "__main__":
    main()
