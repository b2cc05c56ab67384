"""The lab `activations`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.activations.lab import run

__all__ = ["run"]
