"""The lab `backprop`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.backprop.lab import run

__all__ = ["run"]
