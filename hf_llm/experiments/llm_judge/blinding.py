"""Blinding: what hiding name and gender marking buys, before the decision or before training, and what still leaks.

In the generated town most women live in the south and most men in the north, so the neighbourhood is a proxy.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import COLOURS, Figure, dots, label, new_figure
from hf_llm.experiments.llm_judge.judges import judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import FOUR_FIFTHS, kappa, rates, ratio, trial_of

KINDS = ("fair", "history", "history_blind")
HIDDEN = {  # what a reader does not see
    "nothing_hidden": {},
    "name_hidden": {"named": False},
    "place_hidden": {"named": False, "located": False},
}
# the judge and what it does not see, in the order of the figure
SETTINGS = (
    ("fair", "nothing_hidden"), ("history", "nothing_hidden"), ("history", "name_hidden"),
    ("history_blind", "name_hidden"), ("history_blind", "place_hidden"), ("given", "nothing_hidden"),
    ("given", "name_hidden"),
)  # fmt: skip


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, KINDS):
        trial = trial_of(seed, grid.tests)
        for hidden, changes in HIDDEN.items():
            says_yes = judge.yes([replace(case, **changes) for case in trial.both]) > 0
            rows.append({
                "judge": kind, "seed": seed, "hidden": hidden, **rates(says_yes),
                "kappa": kappa(says_yes, trial.approved),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    return {"blinding": table.assign(ratio=ratio(table["women"], table["men"], grid.tests))}


def findings(tables: Tables) -> list[Finding]:
    table = tables["blinding"]

    def of(judge: str, hidden: str, column: str = "ratio") -> np.ndarray:
        return by_seed(table, column, judge=judge, hidden=hidden)

    def gap(judge: str, hidden: str) -> np.ndarray:
        """Return by how many percentage points men are approved more often."""
        return 100 * (of(judge, hidden, "men") - of(judge, hidden, "women"))

    bare = select(table, hidden="place_hidden")
    return [
        above("hiding_late", of("history", "name_hidden"), FOUR_FIFTHS, scale="log"),
        below("hiding_early", of("history_blind", "name_hidden"), FOUR_FIFTHS, scale="log"),
        above("proxy_leaks", gap("history_blind", "name_hidden")),
        above("hiding_narrows", gap("history", "nothing_hidden") - gap("history_blind", "name_hidden")),
        exact("nothing_left", 100 * (bare["men"] - bare["women"]).abs().max(), 0.0, side="within"),
        above("hiding_costs", of("history", "nothing_hidden", "kappa") - of("history", "name_hidden", "kappa")),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Draw the ratio of the selection rates, from the judge that sees all to the one that sees the facts alone."""
    table = tables["blinding"].assign(setting=tables["blinding"]["judge"] + "_" + tables["blinding"]["hidden"])
    keys = [key for key in (f"{judge}_{hidden}" for judge, hidden in SETTINGS) if key in set(table["setting"])]
    figure, axes = new_figure(width=7.2, height=2.9)
    dots(axes[0, 0], table, "ratio", "setting", say, keys)
    axes[0, 0].axvline(FOUR_FIFTHS, color=COLOURS[1], ls="--", lw=1.2)
    axes[0, 0].set_xlim(left=0)
    label(axes[0, 0], say("figures.ratio"), "", legend=False)
    return figure


def hidden(tables: Tables) -> pd.DataFrame:
    """Return the selection rates of each judge by what it does not see, means over the seeds."""
    return means(tables["blinding"], ["judge", "hidden"], ["women", "men", "ratio", "kappa"])


FIGURES = {"blinding": draw}
SUMMARIES = {"hidden": hidden}
