"""A fairer setting beside the grid: longer training, a depth that batch norm can bear, and weights of their own for
GELU and the sigmoid.

In the grid, batch norm, GELU and the sigmoid fail in the deepest network. How much of that comes from normalisation and
activation, and how much from fifty layers, few steps, and initial weights that were made for another activation?
"""

import numpy as np

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, select
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.relu_depth.depth import accuracy
from hf_llm.experiments.relu_depth.nets import OWN, USUAL, Kind, usual
from hf_llm.experiments.relu_depth.training import grid_of, train_nets

STEPS = (120, 1_000)  # of the short and of the full version
LEARNED = 0.5  # test accuracy from which a network counts as one that learns; guessing has a tenth
HIGH, LOW = (0.1, 0.3), (0.01, 0.03)  # rates around the best of the grid for such networks


def measure(study: Study) -> Tables:
    """Train with more steps: batch norm at the two greatest depths, the other activations at the greatest."""
    grid = grid_of(study, steps=study.pick(*STEPS))
    *_, deep, deepest = grid.depths
    high = [usual(deep, "relu"), usual(deep, "relu", "batch_norm"), usual(deepest, "relu", "batch_norm")]
    low = [usual(deepest, activation) for activation in ("relu", "tanh", "gelu")]
    low += [Kind(deepest, activation, weights) for activation, weights in OWN.items()]
    rates = {**dict.fromkeys(high, HIGH), **dict.fromkeys(low, LOW)}
    return train_nets(study, "fair", {(kind, "sgd"): study.pick(few[-1:], few) for kind, few in rates.items()}, grid)


def findings(tables: Tables) -> list[Finding]:
    table = tables["fair"]
    deep, deepest = sorted(table["depth"].unique())

    def longer(activation: str, depth: int = deepest, weights: str | None = None, block: str = "plain") -> np.ndarray:
        weights = weights or USUAL[activation]
        return accuracy(table, activation=activation, depth=depth, weights=weights, block=block)

    relu, shorter = longer("relu"), accuracy(tables["depth"], depth=deepest, activation="relu", weights="he")
    tanh, gelu, sigmoid = longer("tanh"), *(longer(activation, weights=weights) for activation, weights in OWN.items())
    worst = min((relu, tanh, gelu, sigmoid), key=np.mean)
    return [
        above("batch_norm_helps_less_deep", longer("relu", deep, block="batch_norm") - longer("relu", deep)),
        above("batch_norm_helps_longer", longer("relu", block="batch_norm") - relu),
        above("longer_helps", relu - shorter),
        above("gelu_own_over_he", gelu - longer("gelu")),
        above("longer_over_gelu", relu - gelu),
        above("longer_over_tanh", relu - tanh),
        above("right_weights_suffice", worst / 100, LEARNED, scale="logit"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Test accuracy after the longer training, a panel a depth, a line a network."""
    table = tables["fair"]
    depths = sorted(table["depth"].unique())
    figure, (axes,) = new_figure(1, len(depths), width=5.2, height=2.6)
    for axis, depth in zip(axes, depths):
        rows = select(table, depth=depth)
        rows = rows.assign(net=rows["activation"] + "_" + rows["weights"] + "_" + rows["block"])
        dots(axis, rows, "test_accuracy", "net", say)
        axis.set_xlim(0, 1.02)
        label(axis, say("figures.accuracy"), "", say("figures.fair.layers", depth=int(depth)), legend=False)
    return figure


FIGURES = {"fair": draw}
