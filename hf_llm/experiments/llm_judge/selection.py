"""Selection: how many of each group a judge lets through, the four-fifths rule, and agreement with the rubric."""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, means, within
from hf_llm.experiments.frame.charts import COLOURS, Figure, dots, label, new_figure
from hf_llm.experiments.llm_judge.cases import DOMAINS, LANGS, PASS
from hf_llm.experiments.llm_judge.history import biased_score
from hf_llm.experiments.llm_judge.judges import NAMED, judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import FOUR_FIFTHS, kappa, rates, ratio, trial_of

SUBSTANTIAL = 0.6  # Landis and Koch 1977 call agreement beyond chance above it substantial
CHANCE = 0.1  # a judge that guesses stays so near to what chance gives
SLICES = ("all", *DOMAINS, *LANGS)


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, NAMED):
        trial = trial_of(seed, grid.tests)
        says_yes = judge.yes(trial.both) > 0
        past = np.array([biased_score(case) >= PASS for case in trial.both])
        for name in SLICES:
            of = np.array([name in ("all", case.domain, case.lang) for case in trial.both])
            rows.append({
                "judge": kind, "seed": seed, "slice": name, "cases": int(of.sum()) // 2, **rates(says_yes[of]),
                "kappa": kappa(says_yes[of], trial.approved[of]), "kappa_past": kappa(says_yes[of], past[of]),
                "error": float((says_yes != trial.approved)[of].mean()),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    return {"selection": table.assign(ratio=ratio(table["women"], table["men"], table["cases"]))}


def findings(tables: Tables) -> list[Finding]:
    table = tables["selection"]

    def of(judge: str, column: str) -> np.ndarray:
        return by_seed(table, column, judge=judge, slice="all")

    worst = max(by_seed(table, "ratio", judge="history", slice=name).mean() for name in SLICES[1:])
    return [
        below("history_ratio", of("history", "ratio"), FOUR_FIFTHS, scale="log"),
        above("fair_ratio", of("fair", "ratio"), FOUR_FIFTHS, scale="log"),
        above("history_kappa", of("history", "kappa"), SUBSTANTIAL),
        above("fair_kappa", of("fair", "kappa"), SUBSTANTIAL),
        below("amplifies", of("history", "ratio") / of("biased_rule", "ratio"), 1.0, scale="log"),
        above("past_agrees_more", of("history", "kappa_past") - of("history", "kappa")),
        exact("every_slice", worst, FOUR_FIFTHS, side="below"),
        exact("rubric_even", np.abs(of("rubric", "women") - of("rubric", "men")).max(), 0.0, side="within"),
        below("rule_found", of("biased_rule", "ratio"), FOUR_FIFTHS, scale="log"),
        within("random_kappa", of("random", "kappa"), CHANCE),
    ]


def slices(tables: Tables) -> pd.DataFrame:
    """Return the figures of each judge, over all and by kind of case and language, means over the seeds."""
    return means(tables["selection"], ["judge", "slice"], ["women", "men", "ratio", "kappa", "kappa_past"])


def draw(tables: Tables, say: Say) -> Figure:
    table = tables["selection"][tables["selection"]["slice"] == "all"]
    figure, axes = new_figure(1, 2, width=4.6, height=3.0)
    dots(axes[0, 0], table, "ratio", "judge", say)
    axes[0, 0].axvline(FOUR_FIFTHS, color=COLOURS[1], ls="--", lw=1.2)
    axes[0, 0].set_xlim(left=0)
    label(axes[0, 0], say("figures.ratio"), "", legend=False)
    dots(axes[0, 1], table, "kappa", "judge", None)
    label(axes[0, 1], say("figures.kappa"), "", legend=False)
    return figure


FIGURES = {"selection": draw}
SUMMARIES = {"slices": slices}
