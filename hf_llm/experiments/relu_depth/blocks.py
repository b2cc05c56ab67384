"""The deepest network with what modern ones have around each activation: batch norm, a residual connection, both."""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, select
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.relu_depth.depth import HARDLY_ANY, accuracy, fractions
from hf_llm.experiments.relu_depth.nets import BLOCKS, USUAL, usual
from hf_llm.experiments.relu_depth.training import grid_of, train_nets

POINTS_APART = 2.0  # within which activations count as equally good


def measure(study: Study) -> Tables:
    """Train the deepest network in each block but the plain one, which `depth` trains."""
    grid = grid_of(study)
    kinds = [usual(grid.depths[-1], activation, block) for block in BLOCKS[1:] for activation in USUAL]
    return train_nets(study, "blocks", {(kind, "sgd"): grid.rates["sgd"] for kind in kinds}, grid)


def of_deepest(tables: Tables) -> pd.DataFrame:
    """Return the rows of the deepest network in every block, each activation with its usual initial weights."""
    table = tables["depth"]
    is_usual = table["weights"] == table["activation"].map(USUAL)
    plain = table[is_usual & (table["depth"] == table["depth"].max()) & (table["optimizer"] == "sgd")]
    return pd.concat([plain, tables["blocks"]])


def findings(tables: Tables) -> list[Finding]:
    table = of_deepest(tables)
    percent = {
        (activation, block): accuracy(table, activation=activation, block=block)
        for activation in USUAL for block in BLOCKS
    }  # fmt: skip
    with_both = sorted((percent[activation, "both"] for activation in USUAL), key=np.mean)
    dead = by_seed(table, "dead_after", activation="relu", block="both")
    return [
        *(above(f"{block}_helps", percent["relu", block] - percent["relu", "plain"]) for block in BLOCKS[1:]),
        above("both_over_sigmoid", percent["relu", "both"] - percent["sigmoid", "both"]),
        above("sigmoid_batch_norm_wins", percent["sigmoid", "batch_norm"] - percent["relu", "plain"]),
        below("activation_hardly_matters", with_both[-1] - with_both[0], POINTS_APART),
        below("both_hardly_any_dead", fractions(dead), HARDLY_ANY, scale="logit"),
    ]  # fmt: skip


def draw(tables: Tables, say: Say) -> Figure:
    """Test accuracy of the deepest network, a panel a block, a line an activation."""
    figure, (axes,) = new_figure(1, len(BLOCKS), width=3.2, height=2.4)
    for axis, block in zip(axes, BLOCKS):
        rows = select(of_deepest(tables), block=block)
        dots(axis, rows, "test_accuracy", "activation", say if axis is axes[0] else None, keys=USUAL)
        axis.set_xlim(0, 1.02)
        label(axis, say("figures.accuracy"), "", say(f"names.{block}"), legend=False)
    return figure


FIGURES = {"blocks": draw}
