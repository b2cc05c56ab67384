"""Verbosity: the same facts with more and more sentences that say nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.llm_judge.cases import FILLERS
from hf_llm.experiments.llm_judge.judges import NAMED, judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import trial_of

SMALL = 5.0  # percentage points of approvals


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, NAMED):
        trial = trial_of(seed, grid.tests)
        cases = [*trial.women[::2], *trial.men[1::2]]
        says_yes = np.stack([judge.yes([replace(case, filler=n) for case in cases]) > 0 for n in range(FILLERS)])
        rows += [
            {"judge": kind, "seed": seed, "filler": n, "rate": float(says_yes[n].mean()),
             "flips": float((says_yes[n] != says_yes[0]).mean())}
            for n in range(FILLERS)
        ]  # fmt: skip
    return {"verbosity": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["verbosity"]

    def gain(judge: str) -> np.ndarray:
        """Return by how many percentage points the longest text is approved more often than the shortest."""
        longest, shortest = (by_seed(table, "rate", judge=judge, filler=n) for n in (FILLERS - 1, 0))
        return 100 * (longest - shortest)

    return [
        above("long_raises", gain("history")),
        within("fair_ignores_length", gain("fair"), SMALL),
        exact("rule_long", gain("biased_rule").min(), 0.0),
        exact("rubric_length", 100 * select(table, judge="rubric")["flips"].max(), 0.0, side="within"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    figure, axes = new_figure(height=3.0)
    curves(axes[0, 0], tables["verbosity"], "filler", "rate", "judge", say)
    axes[0, 0].set_xticks(range(FILLERS))
    label(axes[0, 0], say("figures.filler"), say("figures.approved"))
    return figure


FIGURES = {"verbosity": draw}
