"""Whom raw features hurt in a small net: SGD, Adam, and SGD with batch norm.

Each way of training runs on raw and on standardised features, each at the best rate of a wide grid. How sensitive it
is to the scale is how much worse it ends on the raw ones. All rates and all seeds are trained at once: the nets lie in
one tensor, and a textbook optimizer takes a tensor of rates.
"""

import math
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hf_llm.experiments.feature_scaling.data_sets import DATA_SETS, VERSIONS, read_table, standardise
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure, style
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam

HIDDEN = 16
STEPS = (40, 300)  # of the short and of the full version
RATES = (-8, 1)  # powers of ten; half a decade apart
WAYS = {  # optimizer, where batch norm stands
    "sgd": (SGD, None), "adam": (partial(Adam, betas=(0.9, 0.99)), None),
    "hidden": (SGD, "hidden"), "input": (SGD, "input"),
}  # fmt: skip


def batch_norm(x: Tensor) -> Tensor:
    """Return x (..., n, d) with mean 0 and variance 1 over the n samples (Ioffe and Szegedy 2015, without γ and β)."""
    mean, variance = x.mean(dim=-2, keepdim=True), x.var(dim=-2, keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def predictions(x: Tensor, weights: list[Tensor], place: str | None) -> Tensor:
    """Return the outputs (R, S, n) of nets with one hidden layer for the features x (S, n, d) of each seed.

    `weights` are of each rate and seed: (R, S, d, h), (R, S, 1, h), (R, S, h, 1), (R, S, 1, 1); `place` is where batch
    norm stands: "input", "hidden" or None.
    """
    w1, b1, w2, b2 = weights
    x = batch_norm(x) if place == "input" else x
    hidden = x @ w1 + b1  # (R, S, n, h)
    hidden = batch_norm(hidden) if place == "hidden" else hidden
    return (hidden.relu() @ w2 + b2).squeeze(-1)


def new_weights(features: int, seeds: range, rates: int) -> list[Tensor]:
    """Return the initial weights of a net a seed, the same ones for every rate; PyTorch's default spread."""
    shapes = [(features, HIDDEN), (1, HIDDEN), (HIDDEN, 1), (1, 1)]
    widths = [features, features, HIDDEN, HIDDEN]
    nets = []
    for random in (torch.Generator().manual_seed(seed) for seed in seeds):
        drawn = [torch.rand(shape, generator=random) for shape in shapes]
        nets.append([(2 * uniform - 1) / math.sqrt(width) for uniform, width in zip(drawn, widths)])
    return [torch.stack(tensors).repeat(rates, 1, 1, 1).requires_grad_() for tensors in zip(*nets)]


def final_losses(name: str, version: str, way: str, rates: Tensor, seeds: range, steps: int) -> Tensor:
    """Return the training loss of each rate and seed after `steps` full-batch steps, (R, S); inf where it diverged."""
    tables = [read_table(name, seed) for seed in seeds]
    features = [standardise(x) if version == "standardised" else x for x, _ in tables]
    x, y = (torch.tensor(np.stack(arrays), dtype=torch.float32) for arrays in (features, [y for _, y in tables]))
    make, place = WAYS[way]
    weights = new_weights(x.shape[-1], seeds, len(rates))
    optimizer = make(weights, lr=rates[:, None, None, None])
    for _ in range(steps):
        optimizer.zero_grad()
        (predictions(x, weights, place) - y).square().mean(dim=-1).sum().backward()  # a mean for each net, none mixed
        optimizer.step()
    with torch.no_grad():
        return (predictions(x, weights, place) - y).square().mean(dim=-1).nan_to_num(torch.inf)


def measure(study: Study) -> Tables:
    """Train every way at all rates, keep the best one; the seed draws four fifths of the rows, and the weights."""
    low, high = RATES
    rates = torch.logspace(low, high, (high - low) * study.pick(1, 2) + 1)
    cells = [(data, way, version) for data in DATA_SETS for way in WAYS for version in VERSIONS]
    rows = []
    for data, way, version in study.track(cells):
        losses = final_losses(data, version, way, rates, study.seeds, study.pick(*STEPS))  # (R, S)
        best = int(losses.mean(dim=1).argmin())
        rows += [
            {"data": data, "way": way, "version": version, "rate": rates[best].item(), "seed": seed, "loss": loss}
            for seed, loss in zip(study.seeds, losses[best].double().tolist())
        ]
    return {"nets": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    """Ratios of losses, seed by seed: geometric means over the data sets."""

    def losses(way: str, version: str) -> np.ndarray:
        """Return the losses, (data sets, seeds)."""
        return np.array([by_seed(tables["nets"], "loss", data=data, way=way, version=version) for data in DATA_SETS])

    def log_loss(way: str, version: str) -> np.ndarray:
        return np.log(losses(way, version)).mean(axis=0)

    def difference(way: str) -> np.ndarray:
        """Return by how much the mean loss over the data sets is higher with raw features, (seeds,)."""
        return losses(way, "raw").mean(axis=0) - losses(way, "standardised").mean(axis=0)

    harm = {way: np.exp(log_loss(way, "raw") - log_loss(way, "standardised")) for way in WAYS}  # raw ÷ standardised
    return [
        *(above(f"raw_harms_{way}", harm[way], 1.0, scale="log") for way in WAYS),
        above("adam_better_on_raw", np.exp(log_loss("sgd", "raw") - log_loss("adam", "raw")), 1.0, scale="log"),
        above("adam_loses_less", difference("sgd") - difference("adam")),
        *(above(f"{way}_less_sensitive", harm["sgd"] / harm[way], 1.0, scale="log") for way in list(WAYS)[1:]),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Training loss at the end, one point a seed; the grey line is the loss of always predicting the mean."""
    figure, axes = new_figure(1, len(DATA_SETS), width=4)
    heights, losses = dict(zip(WAYS, range(len(WAYS))[::-1])), tables["nets"]["loss"]
    for column, (axis, data) in enumerate(zip(axes[0], DATA_SETS)):
        for number, version in enumerate(VERSIONS):
            rows = select(tables["nets"], data=data, version=version)
            where = rows["way"].map(heights) + 0.12 * (1 - 2 * number)
            axis.plot(rows["loss"], where, "os"[number], ms=4.5, mfc="none", color=style(number)["color"],
                      label=name_of(version, say))  # fmt: skip
        names = [name_of(way, say).replace(", ", ",\n") if column == 0 else "" for way in WAYS]
        axis.set_yticks(list(heights.values()), names)
        axis.axvline(1, color="0.6", lw=1)
        axis.set(xscale="log", xlim=(losses.min() / 2, losses.max() * 2))
        label(axis, say("figures.nets.loss"), "", name_of(data, say), legend=column == 1)
    return figure


FIGURES = {"nets": draw}
