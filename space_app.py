"""The web app, as a Hugging Face Space starts it: the same as `hf-llm app`."""

from hf_llm.commands.app import main

if __name__ == "__main__":
    main()
