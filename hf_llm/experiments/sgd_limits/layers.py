"""Layers: how unequal the gradients of a GPT-2's blocks are, how far each block goes, and what one scale each buys.

A block is one tensor of parameters: a matrix, a bias, or what a norm scales by. With one learning rate for all, the
first step of SGD is as unequal as the gradients.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter
from scipy.stats import gmean

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, select
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.sgd_limits.race import behind_adam, loss

UNEQUAL = 10.0  # ratio from which the scales of two blocks count as unequal


def measure(study: Study) -> Tables:
    """Nothing more: `race` notes gradient and path of every block."""
    return {}


def spread(tables: Tables, name: str, column: str, dimensions: tuple[int, ...] = (1, 2)) -> np.ndarray:
    """Return the largest over the smallest value of `column` among the blocks of a model, (seeds,)."""
    rows = select(tables["blocks"], optimizer=name, dimensions=list(dimensions), times=1)
    of_seed = rows.groupby("seed")[column]
    return (of_seed.max() / of_seed.min()).to_numpy()


def findings(tables: Tables) -> list[Finding]:
    momentum, adam = (spread(tables, name, "path") for name in ("momentum", "adam"))
    return [
        above("gradients_unequal_before", spread(tables, "momentum", "gradient_before"), UNEQUAL, scale="log"),
        above("gradients_unequal_after", spread(tables, "momentum", "gradient_after"), UNEQUAL, scale="log"),
        above("matrices_unequal_before", spread(tables, "momentum", "gradient_before", (2,)), UNEQUAL, scale="log"),
        above("paths_more_unequal", momentum / adam, 1.0, scale="log"),
        above("blocks_help", loss(tables, "momentum") - loss(tables, "blocks")),
        above("blocks_behind_adam", behind_adam(tables, "blocks")),
    ]


def spreads(tables: Tables) -> pd.DataFrame:
    """Return the ratio of largest to smallest, geometric means over the seeds, by rule."""
    columns = ("gradient_before", "gradient_after", "path")
    rows = []
    for name in tables["blocks"]["optimizer"].unique():
        ratios = {column: spread(tables, name, column) for column in columns}
        rows.append({"optimizer": name, **{column: float(gmean(values)) for column, values in ratios.items()}})
    return pd.DataFrame(rows)


def draw_layers(tables: Tables, say: Say) -> Figure:
    """Gradient of every block at the start, and its path under SGD with momentum and under Adam."""
    rows = select(tables["blocks"], times=1)
    blocks = list(rows["block"].unique())
    figure, axes = new_figure(1, 3, width=4.0, height=6.4)
    panels = [("momentum", "gradient_before"), ("momentum", "path"), ("adam", "path")]
    for axis, (name, column) in zip(axes[0], panels):
        dots(axis, select(rows, optimizer=name), column, "block", None, keys=blocks)
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        label(axis, say(f"figures.layers.{column}"), "", say(f"names.{name}"), legend=False)
    # the code's names: h 0 attn c_attn weight holds the first block's query, key and value
    short = [block.removeprefix("transformer.").replace(".", " ") for block in blocks]
    axes[0, 0].set_yticks(range(len(blocks))[::-1], short)
    return figure


FIGURES = {"layers": draw_layers}
SUMMARIES = {"layers": spreads}
