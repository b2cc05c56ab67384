"""The control: linear regression, where SGD has no handicap once the features are scaled.

Loop, schedule and number of trials are those of the language model; gradients are not clipped. With scaled features
every weight's gradient has about the same size, and Adam has nothing to even out; with features of very different
sizes it has. What is judged is the training loss above the least-squares one: what is left to learn.
"""

from itertools import islice

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from hf_llm.data import BatchPlan
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.sgd_limits.rules import UNCLIPPED, fit, rates_around, trial
from hf_llm.experiments.shared.short_run import SEARCH_SEED
from hf_llm.training.task import Task

FEATURES, EXAMPLES, BATCH = 20, 2_000, 32
STEPS = (80, 300)  # of the short and of the full version
NOISE = 0.5  # standard deviation of what no weight explains
SPREADS = {"scaled": 1.0, "unscaled": 100.0}  # largest over smallest standard deviation of the features
COMPARED = ("sgd", "momentum", "adam")
MIDDLES = {
    "scaled": {"sgd": 0.1, "momentum": 0.01, "adam": 0.03}, "unscaled": {"sgd": 0.3, "momentum": 0.3, "adam": 1.0},
}  # of the grids of rates # fmt: skip


class LinearRegression(nn.Module):
    """A linear layer that returns its squared error, summed over the examples and divided by `num_items_in_batch`."""

    def __init__(self, features: int):
        super().__init__()
        self.linear = nn.Linear(features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: torch.Tensor, y: torch.Tensor, num_items_in_batch: int):
        return F.mse_loss(self.linear(x).squeeze(1), y, reduction="sum") / num_items_in_batch  # x (B, d), y (B,)


class Regression(Task):
    """Examples (x, y) with y linear in x but for noise; `spread` is how much larger the first feature is than the last.

    The seed draws examples, true weights and batches. Every feature contributes equally to y, whatever its size.
    """

    unit = "examples"

    def __init__(self, spread: float, seed: int):
        random = torch.Generator().manual_seed(seed)
        x = torch.randn(EXAMPLES, FEATURES, generator=random)
        truth = torch.randn(FEATURES, generator=random)
        self.y = x @ truth + NOISE * torch.randn(EXAMPLES, generator=random)  # (N,)
        self.x = x * torch.logspace(0, -np.log10(spread), FEATURES)  # (N, d)
        self.model = LinearRegression(FEATURES)
        self.plan, self.seed = BatchPlan(EXAMPLES, BATCH, BATCH, seed=seed), seed
        with_bias = torch.cat([self.x, torch.ones(EXAMPLES, 1)], dim=1).double()
        solution = torch.linalg.lstsq(with_bias, self.y.double()[:, None]).solution
        self.least = (with_bias @ solution - self.y.double()[:, None]).square().mean().item()

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        chosen = self.plan.indices(step, micro_step, rank)
        return {"x": self.x[chosen], "y": self.y[chosen]}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return len(batch["y"])

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        return model(**batch, num_items_in_batch=n)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the squared error of all examples above the least there is: what is left to learn."""
        loss = model(self.x, self.y, num_items_in_batch=EXAMPLES).item()
        return {"validation_loss": loss - self.least}


def measure(study: Study) -> Tables:
    """Search each rule's rate for both kinds of features, then train with all seeds."""
    steps = study.pick(*STEPS)
    searches = [
        (kind, name, rate) for kind in SPREADS for name in COMPARED for rate in rates_around(MIDDLES[kind][name], study)
    ]  # fmt: skip
    finals = [(kind, name, seed) for kind in SPREADS for name in COMPARED for seed in study.seeds]
    cells = study.track([*searches, *finals])
    search = pd.DataFrame([
        {"features": kind, "optimizer": name, "rate": rate, "seed": SEARCH_SEED,
         "excess": trial(Regression(SPREADS[kind], SEARCH_SEED), name, rate, steps, **UNCLIPPED)}
        for kind, name, rate in islice(cells, len(searches))
    ])  # fmt: skip
    tables = {"regression_search": search}
    rates, rows = chosen_rates(tables)["rate"], []
    for kind, name, seed in cells:
        task, rate = Regression(SPREADS[kind], seed), rates[kind, name]
        every = {"eval_steps": steps // 10, "logging_steps": steps // 10}
        rows += [
            {"features": kind, "optimizer": name, "rate": rate, "seed": seed, "step": record["step"],
             "excess": record["validation_loss"]}
            for record in fit(task, name, rate, steps, **UNCLIPPED, **every)
        ]  # fmt: skip
    return {**tables, "regression": pd.DataFrame(rows)}


def chosen_rates(tables: Tables) -> pd.DataFrame:
    """Return `rate` and `edge` by features and optimizer."""
    by = ["features", "optimizer"]
    return best(tables["regression_search"], "rate", "excess", by=by).set_index(by)


def ratio(tables: Tables, kind: str, name: str = "momentum") -> np.ndarray:
    """Return how many times Adam's excess loss at the end a rule has, (seeds,)."""
    table = tables["regression"]
    rows = select(table, features=kind, step=int(table["step"].max()))
    return by_seed(rows, "excess", optimizer=name) / by_seed(rows, "excess", optimizer="adam")


def findings(tables: Tables) -> list[Finding]:
    return [
        above("adam_ahead_on_scaled", ratio(tables, "scaled"), 1.0, scale="log"),
        above("adam_ahead_on_unscaled", ratio(tables, "unscaled"), 1.0, scale="log"),
    ]


def draw_regression(tables: Tables, say: Say) -> Figure:
    """What is left to learn along the steps, for both kinds of features."""
    figure, axes = new_figure(1, 2, width=4.8)
    for axis, kind in zip(axes[0], SPREADS):
        curves(axis, select(tables["regression"], features=kind), "step", "excess", "optimizer", say, keys=COMPARED)
        axis.set_yscale("log")
        label(axis, say("figures.regression.step"), say("figures.regression.excess"), say(f"names.{kind}"))
    return figure


FIGURES = {"regression": draw_regression}
