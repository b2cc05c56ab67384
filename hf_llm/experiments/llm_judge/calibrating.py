"""Calibrating: the judge's answer to a case without content is taken off its answers (Zhao et al. 2021)."""

from dataclasses import replace

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Study, Tables, above, below, by_seed, means
from hf_llm.experiments.llm_judge.cases import Case
from hf_llm.experiments.llm_judge.judges import judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import FOUR_FIFTHS, kappa, rates, ratio, trial_of

READINGS = ("as_read", "calibrated")


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, ("fair", "history")):
        trial = trial_of(seed, grid.tests)
        plain, empty = judge.yes(trial.both), judge.yes([without_content(case) for case in trial.both])
        for reading, odds in zip(READINGS, (plain, plain - empty)):
            rows.append({
                "judge": kind, "seed": seed, "reading": reading, **rates(odds > 0),
                "kappa": kappa(odds > 0, trial.approved),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    return {"calibrating": table.assign(ratio=ratio(table["women"], table["men"], grid.tests))}


def without_content(case: Case) -> Case:
    """Return the case of nobody, with "N/A" in place of all facts, in the same domain and language."""
    return replace(case, facts=None, named=False, located=False, register="formal", filler=0)


def findings(tables: Tables) -> list[Finding]:
    table = tables["calibrating"]

    def change(judge: str) -> np.ndarray:
        after, before = (by_seed(table, "kappa", judge=judge, reading=one) for one in READINGS[::-1])
        return after - before

    calibrated = by_seed(table, "ratio", judge="history", reading="calibrated")
    return [
        below("calibrated_ratio", calibrated, FOUR_FIFTHS, scale="log"),
        above("calibrating_kappa", change("fair")),
    ]


def calibrated(tables: Tables) -> pd.DataFrame:
    """Return the figures of each judge as it is read and calibrated, means over the seeds."""
    return means(tables["calibrating"], ["judge", "reading"], ["women", "men", "ratio", "kappa"])


SUMMARIES = {"calibrated": calibrated}
