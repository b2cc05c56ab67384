"""The lab `architectures`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.architectures.lab import run

__all__ = ["run"]
