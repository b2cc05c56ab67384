"""A regression trained with the squared error, and with cross-entropy in two ways.

`squared`        one output, mean of (output − target)²
`bins_…`         the targets' range is cut into bins of equal width, and softmax cross-entropy chooses among them; the
                 prediction is read as the mean over the bins' centres, or as the centre of the most probable bin
`probability`    the targets are scaled to lie between 0 and 1, and a sigmoid learns them by cross-entropy, as if they
                 were probabilities

All of them get the same hidden layer, batches, splits and search for a learning rate. Cross-entropy does not know that
neighbouring bins are alike: `order` shows it without any training.
"""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_diabetes, make_friedman1
from torch import Tensor, nn

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.shared.toy_data import batches

HIDDEN, BATCH = 32, 64
DATASETS = {"diabetes": (280, 80), "friedman": (500, 300)}  # samples for training and validation; the rest is the test
FEW, MANY = 5, 40
METHODS = ("squared", f"bins_{FEW}", f"bins_{MANY}", "probability")
RATES = (0.3, 1.0), (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of the first step, in the short and in the full version
STEPS = (60, 300)  # of a training, in the short and in the full version
# a prediction that is sure of a wrong one of some bins
BINS, TRUE_BIN, CONFIDENCE = 11, 0, 0.8
ROUNDING = 1e-12

Split = dict[str, tuple[Tensor, Tensor]]  # {"training", "validation", "test"}: x (N, features), y (N,)


def measure(study: Study) -> Tables:
    """Train by each method at each rate on both data sets."""
    cells = product(DATASETS, METHODS, study.pick(*RATES), study.seeds)
    floors = [{"dataset": dataset, "bins": bins, "seed": seed, "floor": floor(dataset, bins, seed)}
              for dataset in DATASETS for bins in (FEW, MANY) for seed in study.seeds]  # fmt: skip
    return {
        "regression": pd.DataFrame(row for cell in study.track(cells) for row in fit(*cell, study.pick(*STEPS))),
        "floors": pd.DataFrame(floors),
        "order": pd.DataFrame(order_rows()),
    }


class Method(NamedTuple):
    """A way to put a regression to a net."""

    outputs: int  # of the net
    loss: Callable[[Tensor, Tensor], Tensor]  # (outputs (B, outputs), targets (B,)) to a number
    readings: dict[str, Callable[[Tensor], Tensor]]  # {what is added to the name: outputs to predictions (B,)}


@cache
def split(dataset: str, seed: int) -> Split:
    """Return a data set, cut by the seed; targets have mean 0 and variance 1 on the training part.

    Friedman's function (1991) of five inputs is smooth and has little noise; diabetes (442 patients, Efron et al. 2004)
    has much.
    """
    if dataset == "diabetes":
        x, y = load_diabetes(return_X_y=True)
        x = x / x.std(axis=0)  # the columns come with mean 0
    else:
        x, y = make_friedman1(n_samples=2000, n_features=5, noise=1.0, random_state=0)
        x = (x - x.mean(axis=0)) / x.std(axis=0)
    training, validation = DATASETS[dataset]
    parts = np.split(np.random.default_rng(seed).permutation(len(x)), [training, training + validation])
    mean, deviation = y[parts[0]].mean(), y[parts[0]].std()
    x, y = torch.tensor(x), torch.tensor((y - mean) / deviation)
    return {name: (x[part], y[part]) for name, part in zip(("training", "validation", "test"), parts)}


def method(name: str, targets: Tensor) -> Method:
    """Return the method called `name` for training targets (N,), whose range the cross-entropies need to know."""
    low, high = targets.min(), targets.max()
    if name == "squared":
        return Method(1, lambda out, y: ((out[:, 0] - y) ** 2).mean(), {"": lambda out: out[:, 0]})
    if name == "probability":
        return Method(
            1,
            lambda out, y: nn.functional.binary_cross_entropy_with_logits(out[:, 0], (y - low) / (high - low)),
            {"": lambda out: low + (high - low) * torch.sigmoid(out[:, 0])},
        )
    bins = int(name.removeprefix("bins_"))
    centres = bin_centres(targets, bins)
    return Method(
        bins,
        lambda out, y: nn.functional.cross_entropy(out, nearest(centres, y)),
        {"_mean": lambda out: out.softmax(dim=1) @ centres, "_top": lambda out: centres[out.argmax(dim=1)]},
    )


def bin_centres(targets: Tensor, bins: int) -> Tensor:
    """Return the centres of `bins` bins of equal width over the range of `targets`, (bins,)."""
    edges = torch.linspace(targets.min(), targets.max(), bins + 1, dtype=targets.dtype)
    return (edges[1:] + edges[:-1]) / 2


def nearest(centres: Tensor, y: Tensor) -> Tensor:
    """Return which bin each y (N,) is in; beyond the range, the last one on that side."""
    return (y[:, None] - centres).abs().argmin(dim=1)


def fit(dataset: str, name: str, rate: float, seed: int, steps: int) -> list[dict]:
    """Train by SGD and return a row for each reading: its root mean squared errors, in deviations of the target.

    The learning rate begins at `rate` and falls to zero in a straight line, so that the last step is no lottery; the
    seed cuts the data and draws weights and batches.
    """
    data = split(dataset, seed)
    x, y = data["training"]
    way = method(name, y)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, way.outputs)).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    for step, batch in enumerate(batches(len(x), BATCH, steps, seed)):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        way.loss(net(x[batch]), y[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        return [
            {"dataset": dataset, "method": f"{name}{reading}", "rate": rate, "seed": seed,
             **{part: rmse(read(net(inputs)), targets) for part, (inputs, targets) in data.items()}}
            for reading, read in way.readings.items()
        ]  # fmt: skip


def rmse(predictions: Tensor, targets: Tensor) -> float:
    """Return the root of the mean squared error; infinite where a training has run away."""
    error = ((predictions - targets) ** 2).mean().sqrt().item()
    return error if np.isfinite(error) else float("inf")


def floor(dataset: str, bins: int, seed: int) -> float:
    """Return the test error of somebody who always names the right bin: what cutting into bins costs by itself."""
    data = split(dataset, seed)
    centres, (_, y) = bin_centres(data["training"][1], bins), data["test"]
    return rmse(centres[nearest(centres, y)], y)


def order_rows() -> list[dict]:
    """Return both losses of a prediction that is sure of a bin that is 1, 2, … bins away from the right one."""
    rows = []
    for distance in range(1, BINS):
        p = np.full(BINS, (1 - CONFIDENCE) / (BINS - 1))
        p[TRUE_BIN + distance] = CONFIDENCE
        cross_entropy, squared = -np.log(p[TRUE_BIN]), (p @ np.arange(BINS) - TRUE_BIN) ** 2
        rows.append({"distance": distance, "cross_entropy": float(cross_entropy), "squared": float(squared)})
    return rows


def at_best_rate(tables: Tables) -> pd.DataFrame:
    """Return the rows of each method at the rate that validation picks for it."""
    table = tables["regression"]
    return table.merge(best(table, "rate", "validation", by=["dataset", "method"]))


def findings(tables: Tables) -> list[Finding]:
    """Ratios of test errors; the number of bins is the one that validation prefers."""
    rows, found = at_best_rate(tables), []
    for dataset in DATASETS:
        of_set = select(rows, dataset=dataset)
        few, many = (select(of_set, method=f"bins_{n}_mean")["validation"].mean() for n in (FEW, MANY))
        bins = FEW if few <= many else MANY
        names = ("squared", "probability", f"bins_{bins}_mean", f"bins_{bins}_top")
        squared, probability, mean, top = (by_seed(of_set, "test", method=name) for name in names)
        ratios = {"bins": mean / squared, "top": top / mean, "probability": probability / squared}
        found += [above(f"{dataset}_{key}", ratio, 1.0, "log") for key, ratio in ratios.items()]
    return [*found, exact("order", np.ptp(tables["order"]["cross_entropy"]), ROUNDING)]


def draw(tables: Tables, say: Say) -> Figure:
    """The test error of each method, one panel a data set."""
    figure, axes = new_figure(1, len(DATASETS))
    rows = at_best_rate(tables)
    for number, (axis, dataset) in enumerate(zip(axes[0], DATASETS)):
        dots(axis, select(rows, dataset=dataset), "test", "method", None if number else say)
        label(axis, say("figures.regression.error"), "", say(f"names.{dataset}"), legend=False)
    return figure


FIGURES = {"regression": draw}
SUMMARIES = {"regression": lambda tables: means(
    at_best_rate(tables), ["dataset", "method"], ["rate", "training", "validation", "test"])}  # fmt: skip
