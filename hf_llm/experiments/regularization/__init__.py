"""The lab `regularization`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.regularization.lab import run

__all__ = ["run"]
