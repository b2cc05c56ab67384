"""The same as `hf-llm hub_stress`."""

from hf_llm.commands.hub_stress import main

if __name__ == "__main__":
    main()
