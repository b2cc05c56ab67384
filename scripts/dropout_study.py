"""The same as `hf-llm dropout_study`."""

from hf_llm.commands.dropout_study import main

if __name__ == "__main__":
    main()
