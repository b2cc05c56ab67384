"""The experiment `gpt2-anatomy`: which part of a GPT-2 does what; `lab.py` names its parts."""
