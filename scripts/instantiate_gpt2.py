"""The same as `hf-llm instantiate_gpt2`."""

from hf_llm.commands.instantiate_gpt2 import main

if __name__ == "__main__":
    main()
