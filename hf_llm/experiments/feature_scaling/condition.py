"""The condition number against the steps to converge, where both are known exactly.

A linear regression on ten features that are the same ones in other units: the more the units differ, the larger the
condition number κ of the Hessian, while the prediction to be learnt stays the same. Beside gradient descent at its best
rate run momentum with its best constants and Adam at the best rate of a grid.
"""

import math
from functools import partial

import numpy as np
import pandas as pd
import torch

from hf_llm.experiments.feature_scaling.quadratic import bound
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, exact, select, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.descent import HOLD, TOLERANCE, descend, steps_to_arrive
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, Momentum

FEATURES = 10
CONDITIONS = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
METHODS = ("descent", "momentum", "adam", "adam_mixed")
ADAM_STEPS = 600  # at most
FITTED_FROM = 10.0  # below this κ a step or two of rounding would tilt the slope
PROPORTIONAL = 0.1  # how far the slope of a log-log line may be from one and still pass for "in proportion"


def problem(condition: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Hessian (d, d) and solution (d,) of a regression on features that differ in their units.

    Orthogonal features with variances from 1 to κ; each contributes a random effect of deviation 1 to the prediction,
    so the weight of a feature in small units is large.
    """
    variances = torch.logspace(0, math.log10(condition), FEATURES, dtype=torch.float64)
    effects = torch.randn(FEATURES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return variances.diag(), effects / variances.sqrt()


def mixed(hessian: torch.Tensor, solution: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same problem in features that are random mixtures (a rotation) of the others."""
    random = torch.Generator().manual_seed(1000 + seed)
    rotation, _ = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=random, dtype=torch.float64))
    return rotation @ hessian @ rotation.T, rotation @ solution


def steps_of(method: str, condition: float, seeds: range, rates: int) -> list[float]:
    """Return the steps to the tolerance, from weights of 0, one a seed; `rates` is the size of Adam's grid."""
    problems = [problem(condition, seed) for seed in seeds]
    if method == "adam_mixed":
        problems = [mixed(*pair, seed) for seed, pair in zip(seeds, problems)]
    hessians, solutions = (torch.stack(tensors) for tensors in zip(*problems))  # (S, d, d), (S, d)

    def excess_loss(w: torch.Tensor) -> torch.Tensor:
        error = w - solutions  # (R, S, d)
        return 0.5 * torch.einsum("rsd,sde,rse->rs", error, hessians, error)

    root = math.sqrt(condition)
    steps = math.ceil(bound(condition, TOLERANCE)) + HOLD
    match method:
        case "descent":
            make, grid = SGD, [2 / (1 + condition)]
        case "momentum":  # Polyak 1964: the best constants for a quadratic
            make = partial(Momentum, momentum=((root - 1) / (root + 1)) ** 2)
            grid = [4 / (root + 1) ** 2]
        case _:  # there is no formula: the best rate of a grid
            make, steps = partial(Adam, betas=(0.9, 0.99)), ADAM_STEPS
            grid = np.logspace(-3, 0, rates)
    grid = torch.as_tensor(grid, dtype=torch.float64)
    losses, _ = descend(make, excess_loss, torch.zeros_like(solutions), grid, steps)
    arrived = steps_to_arrive(losses).clamp(max=steps)  # (R, S)
    return arrived[arrived.mean(dim=1).argmin()].tolist()


def measure(study: Study) -> Tables:
    """Count each method's steps for each κ; the seed varies the effects of the features and their mixing."""
    conditions = study.pick(CONDITIONS[1:5], CONDITIONS)
    cells = [(condition, method) for condition in conditions for method in METHODS]
    rows = [
        {"condition": condition, "method": method, "seed": seed, "steps": steps}
        for condition, method in study.track(cells)
        for seed, steps in zip(study.seeds, steps_of(method, condition, study.seeds, study.pick(7, 19)))
    ]
    return {"steps": pd.DataFrame(rows)}


def slopes(tables: Tables, method: str) -> np.ndarray:
    """Return the exponent p of "steps ∝ κᵖ" of each seed, (seeds,)."""
    rows = select(tables["steps"], method=method)
    steps = rows[rows["condition"] >= FITTED_FROM].pivot(index="condition", columns="seed", values="steps")
    return np.polyfit(np.log(steps.index), np.log(steps), 1)[0]


def findings(tables: Tables) -> list[Finding]:
    descent, rows = slopes(tables, "descent"), select(tables["steps"], method="descent")
    allowed = np.array([bound(condition, TOLERANCE) for condition in rows["condition"]])
    return [
        within("in_proportion", descent - 1, PROPORTIONAL),
        exact("within_the_bound", (rows["steps"] / allowed).max(), 1.0, "below"),
        above("momentum_suffers_less", descent - slopes(tables, "momentum")),
        above("adam_suffers_less", descent - slopes(tables, "adam")),
        above("adam_mixed_suffers_less", descent - slopes(tables, "adam_mixed")),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Steps by condition number; the grey line is the theory's bound for gradient descent."""
    figure, ((axis,),) = new_figure(width=6, height=4)
    conditions = tables["steps"]["condition"].unique()
    allowed = [bound(condition, TOLERANCE) for condition in conditions]
    axis.plot(conditions, allowed, color="0.6", lw=3, label=say("figures.conditions.bound"))
    curves(axis, tables["steps"], "condition", "steps", "method", say)
    axis.set(xscale="log", yscale="log")
    label(axis, say("figures.conditions.condition"), say("figures.conditions.steps"))
    return figure


FIGURES = {"conditions": draw}
