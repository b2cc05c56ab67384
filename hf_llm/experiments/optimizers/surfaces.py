"""The rules raced on surfaces of two weights, where one can watch them walk.

Three surfaces, each with its lowest point at 0: a narrow valley along an axis, the same valley turned by 45 degrees,
and Rosenbrock's bent valley (1960). Every rule gets the rate of a fine grid that suits it best, so that none loses for
a rate that somebody else chose.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure, style
from hf_llm.experiments.shared.descent import descend, steps_to_arrive
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, Momentum, RMSprop

RULES = {"sgd": SGD, "momentum": Momentum, "rmsprop": RMSprop, "adam": partial(Adam, betas=(0.9, 0.99))}
CURVATURE = 100.0  # of the valley's walls; along its floor it is 1, so the condition number is 100
SHOWN = 80  # positions of a path that are drawn
POINTS = 40  # of a curve


class Surface(NamedTuple):
    """A loss of two weights, and where the figure looks."""

    loss: Callable[[torch.Tensor], torch.Tensor]  # (..., 2) to (...)
    start: Callable[[np.random.Generator], list[float]]
    steps: int
    window: tuple[float, float, float, float]  # left, right, bottom, top
    lowest: tuple[float, float] = (0, 0)
    stride: int = 1  # of the steps that are drawn


def turned(w: torch.Tensor, angle: float) -> torch.Tensor:
    """Return points (..., 2) turned about 0 by `angle`."""
    x, y = w[..., 0], w[..., 1]
    return torch.stack([math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y], dim=-1)


def valley(w: torch.Tensor) -> torch.Tensor:
    """½ (x² + 100 y²): steep across, nearly flat along."""
    return 0.5 * (w[..., 0] ** 2 + CURVATURE * w[..., 1] ** 2)


def rosenbrock(w: torch.Tensor) -> torch.Tensor:
    """(1 − x)² + 100 (y − x²)²: a valley that bends; the lowest point is (1, 1)."""
    x, y = w[..., 0], w[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def valley_start(random: np.random.Generator) -> list[float]:
    return [-random.uniform(1, 2), random.uniform(0.3, 0.7)]


def turned_valley_start(random: np.random.Generator) -> list[float]:
    return turned(torch.tensor(valley_start(random), dtype=torch.float64), math.pi / 4).tolist()


SURFACES = {
    "valley": Surface(valley, valley_start, 1_000, (-2.1, 0.6, -0.9, 0.9)),
    "turned": Surface(
        lambda w: valley(turned(w, -math.pi / 4)), turned_valley_start, 1_000, (-2.1, 0.6, -1.8, 0.9)),
    "rosenbrock": Surface(
        rosenbrock, lambda random: [random.uniform(-1.4, -1.0), random.uniform(0.8, 1.2)], 8_000,
        (-1.6, 1.3, -0.6, 1.8), (1, 1), 10),
}  # fmt: skip


def walked(losses: torch.Tensor) -> torch.Tensor:
    """Return which runs never rose above their start; the others have jumped out of the landscape.

    RMSprop at a rate of 10 does so, learns the curvature from the jump, and then needs four steps. Nobody could rely
    on that.
    """
    return (losses <= losses[0]).all(dim=0)


def measure(study: Study) -> Tables:
    """Walk down each surface by each rule at all rates; the seed varies where a walk begins."""
    rates = torch.logspace(-4, 0, study.pick(9, 33), dtype=torch.float64)
    arrivals, descents, paths = [], [], []
    for name, rule in study.track([(name, rule) for name in SURFACES for rule in RULES]):
        surface, cell = SURFACES[name], {"surface": name, "optimizer": rule}
        starts = [surface.start(np.random.default_rng(seed)) for seed in study.seeds]
        steps = study.pick(min(surface.steps, 600), surface.steps)
        losses, positions = descend(RULES[rule], surface.loss, torch.tensor(starts, dtype=torch.float64), rates, steps)
        arrived = steps_to_arrive(losses).where(walked(losses), torch.inf)  # (R, S)
        censored = arrived.clamp(max=steps)
        best = int(censored.mean(dim=1).argmin())
        points = np.unique(np.r_[0, np.geomspace(1, float(censored[best].max()), POINTS)].astype(int)).tolist()
        for number, seed in enumerate(study.seeds):
            arrivals.append({
                **cell, "rate": rates[best].item(), "seed": seed, "steps": censored[best, number].item(),
                "arrived": bool(arrived[best, number].isfinite()),
            })  # fmt: skip
            descents += [
                {**cell, "seed": seed, "step": step, "loss": losses[step, best, number].item()} for step in points
            ]
        path = positions[:: surface.stride, best, 0][:SHOWN].tolist()  # of the first start
        paths += [{**cell, "step": surface.stride * k, "w1": x, "w2": y} for k, (x, y) in enumerate(path)]
    return {"arrivals": pd.DataFrame(arrivals), "descents": pd.DataFrame(descents), "paths": pd.DataFrame(paths)}


def findings(tables: Tables) -> list[Finding]:
    """Ratios of steps, start by start."""

    def steps(surface: str, rule: str) -> np.ndarray:
        return by_seed(tables["arrivals"], "steps", surface=surface, optimizer=rule)

    def slower(key: str, one: tuple[str, str], other: tuple[str, str]) -> Finding:
        return above(key, steps(*one) / steps(*other), 1.0, scale="log")

    turning = max(np.abs(steps("turned", rule) - steps("valley", rule)).max() for rule in ("sgd", "momentum"))
    return [
        slower("momentum_in_the_valley", ("valley", "sgd"), ("valley", "momentum")),
        slower("momentum_in_the_bend", ("rosenbrock", "sgd"), ("rosenbrock", "momentum")),
        slower("adam_in_the_valley", ("valley", "momentum"), ("valley", "adam")),
        slower("adam_in_the_bend", ("rosenbrock", "momentum"), ("rosenbrock", "adam")),
        slower("rmsprop_needs_axes", ("turned", "rmsprop"), ("valley", "rmsprop")),
        slower("adam_needs_axes", ("turned", "adam"), ("valley", "adam")),
        exact("momentum_needs_no_axes", turning, 0.5, "below"),  # not even one step
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Above, the beginning of each rule's path from the same start over the contour lines; below, the losses."""
    figure, axes = new_figure(2, len(SURFACES), width=4.2, height=3.4)
    for column, (name, surface) in enumerate(SURFACES.items()):
        top, bottom = axes[:, column]
        left, right, low, high = surface.window
        x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
        z = surface.loss(torch.from_numpy(np.stack([x, y], axis=-1))).numpy()
        top.contour(x, y, z, levels=np.geomspace(0.03, z.max(), 12), colors="0.75", linewidths=0.7)
        top.plot(*surface.lowest, "k*", ms=9, zorder=5)
        for number, rule in enumerate(RULES):
            path = select(tables["paths"], surface=name, optimizer=rule)
            top.plot(path["w1"], path["w2"], marker=".", ms=3, lw=1.2, **style(number))
        curves(bottom, select(tables["descents"], surface=name), "step", "loss", "optimizer", say)
        top.set(xlim=(left, right), ylim=(low, high))
        bottom.set(xscale="symlog", yscale="log", xlim=(0, None), ylim=(1e-5, None))
        label(top, "w₁", "w₂", name_of(name, say), legend=False)
        label(bottom, say("figures.surfaces.step"), say("figures.surfaces.loss"), legend=column == 0)
    return figure


def steps_to_the_minimum(tables: Tables) -> pd.DataFrame:
    groups = tables["arrivals"].groupby(["surface", "optimizer"], sort=False, as_index=False)
    return groups.agg(rate=("rate", "first"), steps=("steps", "mean"), arrived=("arrived", "sum"))


FIGURES = {"surfaces": draw}
SUMMARIES = {"surfaces": steps_to_the_minimum}
