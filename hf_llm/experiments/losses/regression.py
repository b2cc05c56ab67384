"""Part of the lab `losses`: a regression trained with the squared error, and with cross-entropy in two ways.

`squared`        one output, mean of (output − target)²
`bins_…`         the targets' range is cut into bins of equal width, and softmax cross-entropy chooses among them; the
                 prediction is read as the mean over the bins' centres, or as the centre of the most probable bin
`probability`    the targets are scaled to lie between 0 and 1, and a sigmoid learns them by cross-entropy, as if they
                 were probabilities

All of them get the same hidden layer, batches, splits and search for a learning rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_diabetes, make_friedman1
from torch import Tensor, nn

from hf_llm.experiments.shared.toy_data import batches

HIDDEN, BATCH = 32, 64
DATASETS = {
    "diabetes": (280, 80),
    "friedman": (500, 300),
}  # samples for training and validation; the rest is for testing
FEW, MANY = 5, 40
METHODS = ("squared", f"bins_{FEW}", f"bins_{MANY}", "probability")

Split = dict[str, tuple[Tensor, Tensor]]  # {"training", "validation", "test"}: x (N, features), y (N,)


@dataclass(frozen=True)
class Method:
    """A way to put a regression to a net.

    Args:
        outputs: How many the net has.
        loss: (outputs (B, outputs), targets (B,)) to a number.
        readings: {name: outputs (B, outputs) to predictions (B,)}.
    """

    outputs: int
    loss: Callable[[Tensor, Tensor], Tensor]
    readings: dict[str, Callable[[Tensor], Tensor]]


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
        return Method(1, lambda out, y: ((out[:, 0] - y) ** 2).mean(), {"output": lambda out: out[:, 0]})
    if name == "probability":
        return Method(
            1,
            lambda out, y: nn.functional.binary_cross_entropy_with_logits(out[:, 0], (y - low) / (high - low)),
            {"output": lambda out: low + (high - low) * torch.sigmoid(out[:, 0])},
        )
    bins = int(name.removeprefix("bins_"))
    centres = bin_centres(targets, bins)
    return Method(
        bins,
        lambda out, y: nn.functional.cross_entropy(out, nearest(centres, y)),
        {"mean": lambda out: out.softmax(dim=1) @ centres, "top": lambda out: centres[out.argmax(dim=1)]},
    )


def bin_centres(targets: Tensor, bins: int) -> Tensor:
    """Return the centres of `bins` bins of equal width over the range of `targets`, (bins,)."""
    edges = torch.linspace(targets.min(), targets.max(), bins + 1, dtype=targets.dtype)
    return (edges[1:] + edges[:-1]) / 2


def nearest(centres: Tensor, y: Tensor) -> Tensor:
    """Return which bin each y (N,) is in; beyond the range, the last one on that side."""
    return (y[:, None] - centres).abs().argmin(dim=1)


def fit(dataset: str, name: str, rate: float, seed: int, steps: int) -> dict[str, dict[str, float]]:
    """Train by SGD and return the errors, in standard deviations of the target.

    Args:
        dataset, name: Keys of `DATASETS` and `METHODS`.
        rate: Learning rate of the first step; it falls to zero in a straight line, so that the last step is no lottery.
        seed: Cuts the data and draws weights and batches.
        steps: Of SGD.

    Returns:
        {reading: {part: root mean squared error}}.
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
        return {
            reading: {part: rmse(read(net(inputs)), targets) for part, (inputs, targets) in data.items()}
            for reading, read in way.readings.items()
        }


def rmse(predictions: Tensor, targets: Tensor) -> float:
    """Return the root of the mean squared error; infinite where a training has run away."""
    error = ((predictions - targets) ** 2).mean().sqrt().item()
    return error if np.isfinite(error) else float("inf")


def floor(dataset: str, bins: int, seed: int) -> float:
    """Return the test error of somebody who always names the right bin: what cutting into bins costs by itself."""
    data = split(dataset, seed)
    centres, (_, y) = bin_centres(data["training"][1], bins), data["test"]
    return rmse(centres[nearest(centres, y)], y)
