"""The lab `optimizers`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.optimizers.lab import run

__all__ = ["run"]
