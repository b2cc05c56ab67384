"""`python -m hf_llm`: the same as `hf-llm`."""

from hf_llm.commands.program import main

if __name__ == "__main__":
    main()
