"""The same as `hf-llm evaluate_lm`."""

from hf_llm.commands.evaluate_lm import main

if __name__ == "__main__":
    main()
