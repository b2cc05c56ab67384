"""Abstaining: the cases in which the judge is least sure go to a person; what happens to the others."""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed
from hf_llm.experiments.frame.charts import COLOURS, Figure, curves, label, new_figure
from hf_llm.experiments.llm_judge.judges import judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import FOUR_FIFTHS, ratio, trial_of

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
AUTOMATIC = 0.7  # of the cases, the coverage at which it is judged


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, ("fair", "history")):
        trial = trial_of(seed, grid.tests)
        odds = judge.yes(trial.both)
        rows += [
            {"judge": kind, "seed": seed, "coverage": coverage, **decided(odds, trial.approved, coverage)}
            for coverage in COVERAGES
        ]
    return {"abstaining": pd.DataFrame(rows)}


def decided(odds: np.ndarray, approved: np.ndarray, coverage: float) -> dict[str, float]:
    """Return error, both groups' selection rates and their ratio among the surest answers.

    Args:
        odds: Log-odds of women's cases, then of men's, (2 · cases,).
        approved: What the rubric says, of the same shape.
        coverage: How many of all answers the judge gives; the others go to a person.
    """
    surest = np.argsort(-np.abs(odds), kind="stable")[: round(coverage * len(odds))]
    kept = np.zeros(len(odds), dtype=bool)
    kept[surest] = True
    women, men = np.split(np.arange(len(odds)), 2)
    rate = {name: float((odds[of][kept[of]] > 0).mean()) for name, of in (("women", women), ("men", men))}
    return {
        "error": float(((odds > 0) != approved)[kept].mean()),
        **rate,
        "women_kept": float(kept[women].mean()),
        "men_kept": float(kept[men].mean()),
        "ratio": float(ratio([rate["women"]], [rate["men"]], len(surest) // 2)[0]),
    }


def findings(tables: Tables) -> list[Finding]:
    table = tables["abstaining"]

    def fewer_errors(judge: str) -> np.ndarray:
        before, after = (by_seed(table, "error", judge=judge, coverage=coverage) for coverage in (1.0, AUTOMATIC))
        return 100 * (before - after)

    kept, all_decided = (by_seed(table, "ratio", judge="history", coverage=coverage) for coverage in (AUTOMATIC, 1.0))
    # the cases that are kept are no longer the same facts for both groups: a judge without bias shows what that does
    fair_kept = by_seed(table, "ratio", judge="fair", coverage=AUTOMATIC)
    return [
        above("abstaining_helps", fewer_errors("history")),
        below("abstaining_ratio", kept, FOUR_FIFTHS, scale="log"),
        below("abstaining_widens", kept / all_decided, 1.0, scale="log"),
        above("abstaining_fair", fair_kept, FOUR_FIFTHS, scale="log"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    figure, axes = new_figure(1, 2, width=4.2, height=3.0)
    curves(axes[0, 0], tables["abstaining"], "coverage", "error", "judge", say)
    label(axes[0, 0], say("figures.coverage"), say("figures.error"))
    curves(axes[0, 1], tables["abstaining"], "coverage", "ratio", "judge", say)
    axes[0, 1].axhline(FOUR_FIFTHS, color=COLOURS[1], ls="--", lw=1.2)
    label(axes[0, 1], say("figures.coverage"), say("figures.ratio"), legend=False)
    for axis in axes[0]:
        axis.invert_xaxis()
    return figure


FIGURES = {"abstaining": draw}
