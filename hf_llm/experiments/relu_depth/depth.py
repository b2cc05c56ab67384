"""From shallow to deep: accuracy, the gradient that is left after training, and dead units, without any remedy.

Lu et al. 2019, "Dying ReLU and initialization", on units that are dead before training begins.
"""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, select
from hf_llm.experiments.frame.charts import Axes, Figure, curves, error_bars, label, name_of, new_figure, style
from hf_llm.experiments.relu_depth.before_training import VANISHED
from hf_llm.experiments.relu_depth.nets import USUAL, Kind, usual
from hf_llm.experiments.relu_depth.training import Grid, Net, grid_of, train_nets
from hf_llm.texts import number

OTHER_WEIGHTS = {"relu": "xavier", "tanh": "he"}
POINTS_OF_A_RESCUE = 10.0
HARDLY_ANY = 0.01  # fraction of units
RESOLUTION = 1e-4  # about half a unit of the deepest network: a fraction of 0 or 1 has no logit


def nets_of(grid: Grid) -> dict[Net, tuple[float, ...]]:
    """Return every depth with usual and other initial weights by SGD, and the sigmoid by Adam, with their rates."""
    plain = [
        (Kind(depth, activation, weights), "sgd")
        for which in (USUAL, OTHER_WEIGHTS) for activation, weights in which.items() for depth in grid.depths
    ]  # fmt: skip
    by_adam = [(usual(depth, "sigmoid"), "adam") for depth in grid.depths]
    return {(kind, optimizer): grid.rates[optimizer] for kind, optimizer in [*plain, *by_adam]}


def measure(study: Study) -> Tables:
    """Train every network with its best rate; follow the deepest with its usual weights layer by layer."""
    grid = grid_of(study)
    followed = {(usual(grid.depths[-1], activation), "sgd") for activation in USUAL}
    return train_nets(study, "depth", nets_of(grid), grid, followed)


def accuracy(table: pd.DataFrame, **settings) -> np.ndarray:
    """Return the test accuracy in percent, (seeds,)."""
    return 100 * by_seed(table, "test_accuracy", **settings)


def findings(tables: Tables) -> list[Finding]:
    table = tables["depth"]
    shallow, few, *_, deepest = sorted(table["depth"].unique())

    def measured(column: str, depth: int, activation: str, weights: str | None = None, optimizer: str = "sgd"):
        weights = weights or USUAL[activation]
        return by_seed(table, column, depth=depth, activation=activation, weights=weights, optimizer=optimizer)

    def points(depth: int, *one, baseline: tuple) -> np.ndarray:
        return 100 * (measured("test_accuracy", depth, *one) - measured("test_accuracy", depth, *baseline))

    relu = {depth: measured("test_accuracy", depth, "relu") for depth in (shallow, deepest)}
    by_adam = ("sigmoid", "xavier", "adam")
    deep, sigmoid = (lambda column, name=name: measured(column, deepest, name) for name in ("relu", "sigmoid"))
    return [
        above("shallow_over_sigmoid", points(shallow, "relu", baseline=("sigmoid",))),
        *(above(f"deep_over_{other}", points(deepest, "relu", baseline=(other,)))
          for other in ("sigmoid", "tanh", "gelu")),
        above("he_over_xavier", points(deepest, "relu", "he", baseline=("relu", "xavier"))),
        above("deeper_is_better", 100 * (relu[deepest] - relu[shallow])),
        above("adam_rescues_few", points(few, *by_adam, baseline=("sigmoid",)), POINTS_OF_A_RESCUE),
        above("adam_rescues_deepest", points(deepest, *by_adam, baseline=("sigmoid",)), POINTS_OF_A_RESCUE),
        below("sigmoid_gradient_returns", sigmoid("lost_after"), VANISHED),
        below("relu_gradient_stays", deep("lost_after"), VANISHED),
        above("deeper_is_deader", 100 * (deep("dead") - measured("dead", shallow, "relu"))),
        below("fewer_dead_than_sigmoid", 100 * (deep("dead_after") - sigmoid("dead_after"))),
        below("dead_stay_dead", fractions(deep("came_back")), HARDLY_ANY, scale="logit"),
    ]  # fmt: skip


def fractions(values: np.ndarray) -> np.ndarray:
    """Return fractions that have a logit; where no unit was born dead, none came back."""
    return np.clip(np.nan_to_num(values), RESOLUTION, 1 - RESOLUTION)


def draw_accuracy(tables: Tables, say: Say) -> Figure:
    """Test accuracy by depth: usual initial weights on the left, what differs from them on the right."""
    table = tables["depth"]
    is_usual = (table["weights"] == table["activation"].map(USUAL)) & (table["optimizer"] == "sgd")
    figure, axes = new_figure(1, 2, width=5.2)
    for axis, rows, title in ((axes[0, 0], table[is_usual], "usual"), (axes[0, 1], table[~is_usual], "others")):
        lines = rows.groupby(["activation", "weights", "optimizer"], sort=False)
        for (activation, weights, optimizer), of_net in lines:
            name = ", ".join(name_of(part, say) for part in (activation, weights, optimizer) if part != "sgd")
            _by_depth(axis, of_net, "test_accuracy", name, list(USUAL).index(activation), say)
        axis.set_ylim(0, 1.02)
        label(axis, say("figures.depths"), say("figures.accuracy"), say(f"figures.depth.{title}"))
    return figure


def draw_gradients(tables: Tables, say: Say) -> Figure:
    """The gradient by layer of the deepest network at each look, a panel an activation."""
    figure, axes = new_figure(2, 2, width=4.8, height=3.0)
    for axis, activation in zip(axes.flat, USUAL):
        rows = select(tables["depth_layers"], activation=activation)
        curves(axis, rows, "layer", "power", "step", say)
        low, high = axis.get_ylim()
        axis.set_ylim(min(low, -VANISHED), max(high, VANISHED))  # at least the span in which it counts as kept
        axis.xaxis.get_major_locator().set_params(integer=True)
        label(axis, say("figures.layer"), say("figures.power"), name_of(activation, say), legend=False)
        axis.legend(frameon=False, fontsize=8.5, title=say("figures.step"))
    return figure


def draw_dead(tables: Tables, say: Say) -> Figure:
    """The fraction of dead ReLU units before and after training, by depth, and by layer of the deepest network."""
    figure, ((left, right),) = new_figure(1, 2)
    rows = select(tables["depth"], activation="relu", weights="he")
    layers = select(tables["depth_layers"], activation="relu")
    for which, column in enumerate(("dead", "dead_after")):
        _by_depth(left, rows, column, name_of(column, say), which, say)
    ends = layers[layers["step"].isin([0, layers["step"].max()])]
    when = np.where(ends["step"] == 0, "dead", "dead_after")
    curves(right, ends.assign(when=when), "layer", "dead", "when", say)
    right.xaxis.get_major_locator().set_params(integer=True)
    label(left, say("figures.depths"), say("figures.dead_units.fraction"))
    label(right, say("figures.layer"), say("figures.dead_units.fraction"), legend=False)
    return figure


def _by_depth(axis: Axes, rows: pd.DataFrame, column: str, name: str, which: int, say: Say) -> None:
    """Draw the mean over the seeds at each depth, with its 95 % interval."""
    depths = sorted(rows["depth"].unique())
    means, sides = error_bars(rows, column, "depth", depths)
    axis.errorbar(depths, means, sides, marker="o", ms=4, capsize=3, lw=1.6, label=name, **style(which))
    axis.set_xscale("log")
    axis.set_xticks(depths, [number(int(depth), say.lang) for depth in depths])
    axis.minorticks_off()


FIGURES = {"depth": draw_accuracy, "training": draw_gradients, "dead_units": draw_dead}
