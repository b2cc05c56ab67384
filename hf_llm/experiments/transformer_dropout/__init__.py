"""The question `transformer-dropout`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.transformer_dropout.lab import run

__all__ = ["run"]
