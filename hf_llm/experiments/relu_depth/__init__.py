"""The question `relu-depth`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.relu_depth.lab import run

__all__ = ["run"]
