"""Uncovered: what no measurement of a judge answers, each concern with its reason and its source."""

import pandas as pd

from hf_llm.experiments.frame import Finding, Study, Tables

CONCERNS = ("review", "explanation", "accountability", "privacy", "automation_bias")


def measure(study: Study) -> Tables:
    """Measure nothing: this part is prose."""
    return {}


def findings(tables: Tables) -> list[Finding]:
    return []


def uncovered(tables: Tables) -> pd.DataFrame:
    """Return the keys of the texts, a row for each concern."""
    return pd.DataFrame([{"concern": key, "why": f"{key}_why", "source": f"{key}_source"} for key in CONCERNS])


SUMMARIES = {"uncovered": uncovered}
