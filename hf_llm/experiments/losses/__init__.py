"""The lab `losses`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.losses.lab import run

__all__ = ["run"]
