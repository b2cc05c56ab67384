"""Which units training kills, at which learning rate, and whether they come back (Lu et al. 2019, "Dying ReLU").

A step that is too large can push a unit's bias so far down that z is negative whatever the image. The same rate is not
too large for all activations: less gradient passes through the sigmoid. So each has a best rate of its own, the one
with the lowest training loss, and its rate that is too high is the first one above it at which training fails.

The nets train on pixels as they are, from 0 to 1, and on centred ones: inputs that are all positive move all weights
of a unit in the same direction at once.
"""

from itertools import product

import pandas as pd
from torch import Tensor

from hf_llm.experiments.activations.counting import blocked_share, dead_units
from hf_llm.experiments.frame import Finding, Say, Study, Tables, best, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.toy_data import batches, digits
from hf_llm.experiments.shared.two_layer_net import TwoLayerNet
from hf_llm.texts import number

NAMES = ("sigmoid", "tanh", "relu", "gelu")
HIDDEN, BATCH = 128, 64
# in the short and in the full version: learning rates, and steps of each of the two trainings
RATES, STEPS = ((0.1, 2.0, 3.0, 20.0), (0.1, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)), (60, 200)
GENTLE_RATE = 0.1
FAILED = 0.5  # a training that ends with less accuracy than this, on its own images, has failed
FEW, MOST = 0.2, 0.5  # shares of the units, or of the pairs
TANH_RATE = 3.0  # the best one for tanh where the inputs are centred: see zero_centring


def measure(study: Study) -> Tables:
    """Train with each activation at each rate, on raw and on centred pixels."""
    cells = product(("raw", "centred"), NAMES, study.pick(*RATES), study.seeds)
    return {"dead": pd.DataFrame(kill_and_nurse(*cell, study.pick(*STEPS)) for cell in study.track(cells))}


def kill_and_nurse(pixels: str, activation: str, rate: float, seed: int, steps: int) -> dict:
    """Train by hand at `rate`, then as long again at a gentle rate.

    Returns:
        `start`, `after`, `later`: share of dead units before, after the first and after the second training.
        `revived`: share, among the units that were dead after the first training, that were not after the second.
        `negative`, `blocked`: after the first training, the share of units with z < 0 for all images, and of the pairs
            of unit and image that are blocked.
        `accuracy`, `loss`, `accuracy_later`: on the training images.
    """
    x, labels = digits()["training"]
    if pixels == "centred":
        x = x - x.mean(dim=0)
    net = TwoLayerNet(x.shape[1], HIDDEN, classes=10, activation=activation, seed=seed)
    order = iter(batches(len(x), BATCH, 2 * steps, seed))

    def look() -> tuple[dict[str, Tensor], Tensor, float]:
        values = net.forward(x, labels)
        accuracy = float((values["p"].argmax(dim=1) == labels).double().mean())
        return values, dead_units(activation, values["z"]), accuracy

    def train(rate: float) -> None:
        for _ in range(steps):
            batch = next(order)
            net.step(net.backward(net.forward(x[batch], labels[batch])), rate)

    _, start, _ = look()
    train(rate)
    values, after, accuracy = look()
    train(GENTLE_RATE)
    _, later, accuracy_later = look()
    return {
        "pixels": pixels, "activation": activation, "rate": rate, "seed": seed,
        **{when: float(dead.double().mean()) for when, dead in (("start", start), ("after", after), ("later", later))},
        "revived": float((after & ~later).sum() / after.sum().clamp(min=1)),
        "negative": float((values["z"] < 0).all(dim=0).double().mean()),
        "blocked": blocked_share(activation, values["z"]),
        "accuracy": accuracy, "loss": float(values["loss"]), "accuracy_later": accuracy_later,
    }  # fmt: skip


def rates(tables: Tables) -> pd.DataFrame:
    """Return the best rate of each activation on raw and on centred pixels, and the first above it that fails.

    NaN where no rate of the grid fails.
    """
    table = tables["dead"]
    chosen = best(table, "rate", "loss", by=["pixels", "activation"])
    accuracy = table.groupby(["pixels", "activation", "rate"])["accuracy"].mean()
    chosen["too_high"] = [
        min((rate for rate, mean in accuracy[pixels, name].items() if rate > rate_of_best and mean < FAILED),
            default=float("nan"))
        for pixels, name, rate_of_best in zip(chosen["pixels"], chosen["activation"], chosen["rate"])
    ]  # fmt: skip
    return chosen.rename(columns={"rate": "best"})


def findings(tables: Tables) -> list[Finding]:
    """What holds in every seed: a share of almost none or almost all of the units has no interval to speak of."""
    table = tables["dead"]
    chosen = rates(tables).set_index(["pixels", "activation"])

    def at(column: str, activation: str, rate: float, pixels: str = "raw"):
        return by_seed(table, column, pixels=pixels, activation=activation, rate=rate)

    def too_high(activation: str) -> float:
        return chosen.loc[("raw", activation), "too_high"]

    relu, tanh_best = at("after", "relu", too_high("relu")), chosen.loc[("centred", "tanh"), "best"]
    fastest = fastest_that_learns(tables)
    return [
        exact("relu_dies", relu.min(), MOST),
        exact("relu_lives", at("after", "relu", chosen.loc[("raw", "relu"), "best"]).max(), FEW, "below"),
        exact("revived", at("revived", "relu", too_high("relu")).max(), 0.0),
        exact("centring_saves_relu", at("after", "relu", too_high("relu"), "centred").max(), FEW, "below"),
        exact("centring_saves_tanh", at("after", "tanh", TANH_RATE, "centred").max(), FEW, "below"),
        *(exact(f"{name}_dies_less", 100 * (relu - at("after", name, too_high(name))).min(), 0.0)
          for name in ("sigmoid", "gelu")),
        exact("gelu_never_dies", select(table, activation="gelu")["after"].max(), 0.0, "within"),
        exact("saturated_at_best", at("blocked", "tanh", tanh_best, "centred").min(), MOST),
        exact("dead_yet_accurate", at("after", "relu", fastest, "centred").min(), FEW),
    ]  # fmt: skip


def fastest_that_learns(tables: Tables) -> float:
    """Return the largest rate at which ReLU, on centred pixels, does not fail."""
    accuracy = select(tables["dead"], pixels="centred", activation="relu").groupby("rate")["accuracy"].mean()
    return float(accuracy.index[accuracy >= FAILED].max())


def quantities(tables: Tables) -> dict:
    """Return what the texts cite: the rates of each activation, and what goes with the shares that are judged."""
    table, chosen = tables["dead"], rates(tables).set_index(["pixels", "activation"])
    means = table.groupby(["pixels", "activation", "rate"])[["after", "negative", "accuracy"]].mean()
    saturated, fastest = chosen.loc[("centred", "tanh"), "best"], fastest_that_learns(tables)
    tanh = select(table, pixels="centred", activation="tanh", rate=saturated)
    relu = select(table, pixels="centred", activation="relu", rate=fastest)
    cited = {
        **{f"{name}_{which}": chosen.loc[("raw", name), which] for name in NAMES for which in ("best", "too_high")},
        "relu_dead_centred": means.loc[("centred", "relu", chosen.loc[("raw", "relu"), "too_high"]), "after"],
        "tanh_raw_dead": means.loc[("raw", "tanh", TANH_RATE), "after"],
        "tanh_raw_accuracy": means.loc[("raw", "tanh", TANH_RATE), "accuracy"],
        "tanh_centred_accuracy": means.loc[("centred", "tanh", TANH_RATE), "accuracy"],
        "largest_rate": table["rate"].max(),
        "relu_dead_centred_largest": means.loc[("centred", "relu", table["rate"].max()), "after"],
        "gelu_negative": means.loc[("raw", "gelu", chosen.loc[("raw", "gelu"), "too_high"]), "negative"],
        "sigmoid_centred_best": chosen.loc[("centred", "sigmoid"), "best"],
        "tanh_centred_best": saturated,
        "tanh_dead": tanh["after"].max(),
        "tanh_accuracy": tanh["accuracy"].min(),
        "relu_fastest": fastest,
        "relu_fastest_accuracy": relu["accuracy"].min(),
    }
    return {name: float(value) for name, value in cited.items()}


def summary(tables: Tables) -> pd.DataFrame:
    """Return the rates of each activation, and what is dead and blocked at them, mean over the seeds."""
    means = tables["dead"].groupby(["pixels", "activation", "rate"])[["after", "blocked", "accuracy"]].mean()
    chosen = rates(tables).drop(columns="edge")
    for which in ("best", "too_high"):
        at = means.reindex(pd.MultiIndex.from_frame(chosen[["pixels", "activation", which]]))
        for column in ("after", "blocked"):
            chosen[f"{which}_{column}"] = at[column].to_numpy()
    return chosen.astype(object).where(chosen.notna(), None)


def draw(tables: Tables, say: Say) -> Figure:
    """The share of dead units and the accuracy by learning rate, on raw pixels and on centred ones."""
    figure, axes = new_figure(2, 2, height=2.7)
    table = tables["dead"]
    ticks = sorted(table["rate"].unique())
    for column, pixels in zip(axes.T, ("raw", "centred")):
        for axis, value in zip(column, ("after", "accuracy")):
            curves(axis, select(table, pixels=pixels), "rate", value, "activation", say)
            axis.set_xscale("log")
            axis.set_xticks(ticks, [number(tick, say.lang, "g") for tick in ticks])
            axis.minorticks_off()
            axis.set_ylim(-0.03, 1.03)
            title = say(f"names.{pixels}") if value == "after" else None
            label(axis, say("figures.dead.rate"), say(f"figures.dead.{value}"), title, legend=axis is axes[0, 0])
    return figure


FIGURES = {"dead": draw}
SUMMARIES = {"rates": summary}
