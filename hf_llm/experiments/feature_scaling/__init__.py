"""The lab `feature-scaling`: `lab.py` reads top to bottom, the other files are its parts."""

from hf_llm.experiments.feature_scaling.lab import run

__all__ = ["run"]
