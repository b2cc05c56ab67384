"""The lab `dropout`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.dropout_study.lab import run

__all__ = ["run"]
