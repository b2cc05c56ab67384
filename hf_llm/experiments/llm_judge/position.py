"""Position: which of two is better? The answer must not depend on who is read first; what two readings buy."""

from dataclasses import replace

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, means, select, within
from hf_llm.experiments.frame.charts import Figure, curves, dots, label, new_figure
from hf_llm.experiments.llm_judge.cases import Pair
from hf_llm.experiments.llm_judge.judges import NAMED, RULES, judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import pairs_of

HALF, CHANCE = 0.5, 0.1  # a judge that guesses prefers the first, and contradicts itself, so often, give or take
FAR = 3  # points between the two, or more
ALL = -1  # all pairs in which one is better
READINGS = ("one_order", "both_orders", "calibrated")


def measure(study: Study) -> Tables:
    by_lead, by_reading, grid = [], [], grid_of(study)
    for seed, kind, judge in judges(study, NAMED):
        pairs = pairs_of(seed, grid.tests)
        one, swapped = judge.first(pairs), judge.first([pair.swapped for pair in pairs])  # (pairs,) each
        empty = judge.first([without_content(pair) for pair in pairs]) if kind not in RULES else 0.0
        lead = np.array([pair.lead for pair in pairs])
        for points in (ALL, *range(FAR + 1)):
            of = (lead != 0) if points == ALL else np.minimum(np.abs(lead), FAR) == points
            firsts = np.concatenate([one[of] > 0, swapped[of] > 0])
            by_lead.append({
                "judge": kind, "seed": seed, "lead": points, "pairs": int(of.sum()),
                "flips": float(((one > 0) == (swapped > 0))[of].mean()), "first": float(firsts.mean()),
            })  # fmt: skip
        odds = {"one_order": one, "both_orders": one - swapped, "calibrated": one - empty}
        for reading, of_first in odds.items():
            right = (of_first > 0)[lead != 0] == (lead > 0)[lead != 0]
            by_reading.append({"judge": kind, "seed": seed, "reading": reading, "right": float(right.mean())})
    return {"position": pd.DataFrame(by_lead), "orders": pd.DataFrame(by_reading)}


def without_content(pair: Pair) -> Pair:
    """Return the pair with "N/A" in place of all facts: whom a judge prefers then, it prefers for the position."""
    return Pair(replace(pair.first, facts=None), replace(pair.second, facts=None))


def findings(tables: Tables) -> list[Finding]:
    position, orders = tables["position"], tables["orders"]

    def first(judge: str) -> np.ndarray:
        return by_seed(position, "first", judge=judge, lead=ALL)

    def flips(judge: str, lead: int = ALL) -> np.ndarray:
        return by_seed(position, "flips", judge=judge, lead=lead)

    def gain(judge: str, reading: str) -> np.ndarray:
        """Return how many percentage points more pairs a reading judges as the rubric does than one order does."""
        right, plain = (by_seed(orders, "right", judge=judge, reading=one) for one in (reading, READINGS[0]))
        return 100 * (right - plain)

    return [
        above("prefers_first", 100 * first("history"), 100 * HALF),
        above("close_pairs_turn", 100 * (flips("fair", 1) - flips("fair", FAR))),
        above("two_orders_help", gain("history", "both_orders")),
        above("calibrating_order_helps", gain("history", "calibrated")),
        within("random_order", 100 * (flips("random") - HALF), 100 * CHANCE),
        exact("rubric_order", 100 * select(position, judge="rubric")["flips"].max(), 0.0, side="within"),
        exact("rule_first", 100 * first("biased_rule").min(), 100 * HALF),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    figure, axes = new_figure(1, 2, width=4.6, height=3.0)
    curves(axes[0, 0], tables["position"][tables["position"]["lead"] != ALL], "lead", "flips", "judge", say)
    axes[0, 0].set_xticks(range(FAR + 1), [*map(str, range(FAR)), f"≥ {FAR}"])
    label(axes[0, 0], say("figures.lead"), say("figures.order_turns"))
    dots(axes[0, 1], select(tables["orders"], judge="history"), "right", "reading", say)
    label(axes[0, 1], say("figures.right"), "", say("names.history"), legend=False)
    return figure


def readings(tables: Tables) -> pd.DataFrame:
    """Return how often each judge names the better one, by how its answer is read, mean over the seeds."""
    return means(tables["orders"], ["judge", "reading"], ["right"])


FIGURES = {"position": draw}
SUMMARIES = {"readings": readings}
