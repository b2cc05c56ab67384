"""Rare tokens: where SGD with momentum is behind Adam, and how much of the whole gap lies there.

Per token the gap can be large on rare tokens while most of the sum comes from elsewhere: rare tokens are few. So the
tokens are sorted by how often they occur and cut into groups that each make up about a tenth of the training text
(Kunstner et al. 2024, "Heavy-tailed class imbalance and why Adam outperforms gradient descent on language models").
"""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.sgd_limits.race import CLASSIC
from hf_llm.experiments.sgd_limits.text_model import TENTHS

RARER_HALF, FREQUENT_HALF = range(1, TENTHS // 2 + 1), range(TENTHS // 2 + 1, TENTHS + 1)
HALF_OF_THE_GAP = 0.5  # from which a group counts as most of it


def measure(study: Study) -> Tables:
    """Nothing more: `race` notes the loss of every group of tokens."""
    return {}


def gap(tables: Tables, tenth: int, part: str = "test") -> np.ndarray:
    """Return by how many nats per token SGD with momentum is behind Adam on one group of tokens, (seeds,)."""
    rows = select(tables["groups"], part=part, tenth=tenth, times=1)
    return by_seed(rows, "loss", optimizer="momentum") - by_seed(rows, "loss", optimizer="adam")


def relative(tables: Tables, tenth: int, part: str = "test") -> np.ndarray:
    """Return the loss of SGD with momentum on one group of tokens divided by Adam's, (seeds,)."""
    rows = select(tables["groups"], part=part, tenth=tenth, times=1)
    return by_seed(rows, "loss", optimizer="momentum") / by_seed(rows, "loss", optimizer="adam")


def gap_of_half(tables: Tables, tenths: range, part: str = "test") -> np.ndarray:
    """Return by how many nats per token SGD with momentum is behind Adam on several groups together, (seeds,)."""
    shares = [share(tables, tenth, part) for tenth in tenths]
    return np.average([gap(tables, tenth, part) for tenth in tenths], axis=0, weights=shares)


def share(tables: Tables, tenth: int, part: str = "test") -> float:
    """Return the share of a part's judged tokens that are of the group."""
    return float(select(tables["groups"], part=part, tenth=tenth)["share"].iloc[0])


def share_of_gap(tables: Tables, tenth: int, part: str = "test") -> np.ndarray:
    """Return the share of the whole gap that lies in one group, (seeds,): negative where Adam is the worse one there.

    The gaps of the groups, weighted by how many tokens they have, sum to the whole gap of the seed.
    """
    tenths = sorted(select(tables["groups"], part=part)["tenth"].unique())
    sums = {number: share(tables, number, part) * gap(tables, number, part) for number in tenths}
    return sums[tenth] / np.sum(list(sums.values()), axis=0)


def findings(tables: Tables) -> list[Finding]:
    return [
        above("more_behind_on_rare", gap(tables, 1) - gap(tables, TENTHS)),
        above("rarer_half_more_behind", gap_of_half(tables, RARER_HALF) - gap_of_half(tables, FREQUENT_HALF)),
        above("relatively_more_on_rare", relative(tables, 1) / relative(tables, TENTHS), 1.0, scale="log"),
        above("behind_on_frequent", gap(tables, TENTHS)),
        above("most_of_gap_is_rare", share_of_gap(tables, 1), HALF_OF_THE_GAP),
        above("rarer_half_has_most", sum(share_of_gap(tables, tenth) for tenth in RARER_HALF), HALF_OF_THE_GAP),
    ]


def draw_groups(tables: Tables, say: Say) -> Figure:
    """Loss by token frequency for the four rules of the question, and by how much SGD is behind Adam."""
    table = select(tables["groups"], part="test", times=1, optimizer=list(CLASSIC))
    figure, ((left, right),) = new_figure(1, 2, width=5.2)
    curves(left, table, "tenth", "loss", "optimizer", say, keys=CLASSIC)
    label(left, say("figures.groups.tenth"), say("figures.groups.loss"))
    adam = select(table, optimizer="adam").set_index(["seed", "tenth"])["loss"]
    behind = select(table, optimizer=["sgd", "momentum"]).copy()
    behind["gap"] = behind["loss"] - adam.loc[list(zip(behind["seed"], behind["tenth"]))].to_numpy()
    curves(right, behind, "tenth", "gap", "optimizer", say, keys=("sgd", "momentum"))
    right.axhline(0, color="black", lw=0.8)
    label(right, say("figures.groups.tenth"), say("figures.groups.gap"))
    return figure


def group_summary(tables: Tables) -> pd.DataFrame:
    """Return for each group its share of the tokens, the gap per token, and its share of the whole gap."""
    table = tables["tenths"]
    numbers = table["tenth"]
    return table.assign(
        share=[share(tables, number) for number in numbers],
        gap=[gap(tables, number).mean() for number in numbers],
        of_gap=[share_of_gap(tables, number).mean() for number in numbers],
    )


FIGURES = {"groups": draw_groups}
SUMMARIES = {"groups": group_summary}
