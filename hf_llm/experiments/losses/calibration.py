"""When is the output of a sigmoid a probability?

Data whose probabilities are known: two normal inputs, and a coin for each sample that falls on 1 with the probability
σ(w·x + b). One neuron with a sigmoid can express exactly that; what it learns depends on the loss. Cross-entropy and
the square are *proper*: their mean is lowest where the output is the probability. The absolute error is not: its mean
is lowest at 0 or 1, whichever is likelier (Gneiting and Raftery 2007).
"""

from itertools import chain

import pandas as pd
import torch
from torch import Tensor

from hf_llm.evaluation.calibration import calibration
from hf_llm.experiments.frame import Finding, Say, Study, Tables, below, by_seed, means
from hf_llm.experiments.frame.charts import Figure, label, new_figure, scatter

W, B = (1.5, -1.0), 0.5  # of the coin
TRAINING, TEST = 2000, 20_000
LOSSES = {
    "cross_entropy": lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()).mean(),
    "squared": lambda p, y: ((p - y) ** 2).mean(),
    "absolute": lambda p, y: (p - y).abs().mean(),
}
STEPS = (100, 500)  # of a training, in the short and in the full version
CALIBRATED = 0.03  # a calibration error below this counts as calibrated


def measure(study: Study) -> Tables:
    """Train a neuron with each loss."""
    cells = study.track((loss, seed) for loss in LOSSES for seed in study.seeds)
    rows, bins = zip(*(judge(loss, seed, study.pick(*STEPS)) for loss, seed in cells))
    return {"calibration": pd.DataFrame(rows), "calibration_bins": pd.DataFrame(chain(*bins))}


def coins(samples: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return x (samples, 2), the true probabilities (samples,) and what fell (samples,), 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 2, generator=generator, dtype=torch.float64)
    p = torch.sigmoid(x @ torch.tensor(W, dtype=torch.float64) + B)
    return x, p, torch.bernoulli(p, generator=generator)


def trained_neuron(loss: str, seed: int, steps: int) -> tuple[Tensor, Tensor]:
    """Return weights (2,) and bias of a sigmoid neuron after gradient descent on all training samples."""
    x, _, y = coins(TRAINING, 2 * seed)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=2.0)
    for _ in range(steps):
        optimizer.zero_grad()
        # a sigmoid of 0 or 1 would have no logarithm
        LOSSES[loss](torch.sigmoid(x @ w + b).clamp(1e-12, 1 - 1e-12), y).backward()
        optimizer.step()
    return w.detach(), b.detach()


def judge(loss: str, seed: int, steps: int) -> tuple[dict, list[dict]]:
    """Return how far a trained neuron's outputs are from the truth, on new samples, and its bins.

    `calibration_error` is that of the outputs against how often they were right, in bins; `from_truth`, the mean
    distance between the output and the true probability.
    """
    w, b = trained_neuron(loss, seed, steps)
    x, truth, y = coins(TEST, 2 * seed + 1)
    p = torch.sigmoid(x @ w + b)
    bins = calibration(torch.stack([1 - p, p], dim=1).numpy(), y.long().numpy())
    cell = {"loss": loss, "seed": seed}
    row = {
        **cell, "calibration_error": bins.error, "from_truth": float((p - truth).abs().mean()),
        "accuracy": float(((p > 0.5) == y.bool()).double().mean()),
    }  # fmt: skip
    return row, [{**cell, "confidence": c, "accuracy": a} for c, a in zip(bins.confidence, bins.accuracy)]


def findings(tables: Tables) -> list[Finding]:
    return [
        below(f"{loss}_calibrated", by_seed(tables["calibration"], "calibration_error", loss=loss), CALIBRATED, "logit")
        for loss in LOSSES
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The share of right answers against the confidence, bin by bin."""
    figure, ((axis,),) = new_figure(width=5.2, height=4.4)
    axis.plot([0.5, 1], [0.5, 1], color="0.5", lw=1)
    scatter(axis, tables["calibration_bins"], "confidence", "accuracy", "loss", say)
    label(axis, say("figures.calibration.confidence"), say("figures.calibration.accuracy"))
    return figure


FIGURES = {"calibration": draw}
SUMMARIES = {"calibration": lambda tables: means(
    tables["calibration"], ["loss"], ["calibration_error", "from_truth", "accuracy"])}  # fmt: skip
