"""The same as `hf-llm export_check`."""

from hf_llm.commands.export_check import main

if __name__ == "__main__":
    main()
