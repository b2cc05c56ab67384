"""The web app, as a Hugging Face Space starts it: the same as `hf-llm app`."""

from contextlib import suppress

with suppress(ImportError):  # only a ZeroGPU Space has it; it must come before torch
    import spaces

    spaces.GPU(lambda: None)  # it asks for a function that uses its GPU; this app needs none

from hf_llm.commands.app import main

if __name__ == "__main__":
    main()
