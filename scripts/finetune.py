"""The same as `hf-llm finetune`."""

from hf_llm.commands.finetune import main

if __name__ == "__main__":
    main()
