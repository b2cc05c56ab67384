"""The exercise: an MLP without dropout and with several p, on few images and on all; loss and accuracy by step.

Every net of a size trains for the same number of steps on the same images in the same order, and the test set is
measured once, with the last weights: nothing is chosen by it. Differences are paired by the seed, which gives both
nets their images, their initial weights and their order.

Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, means, select
from hf_llm.experiments.frame.charts import COLOURS, Axes, Figure, curves, label, new_figure
from hf_llm.experiments.shared.dropout_settings import BATCH, IMAGES, SCHEDULES, WIDE
from hf_llm.experiments.shared.image_runs import ImageParts, mlp_task, on_test, train_curve

HALF = WIDE.dropout
TRAINING = {"learning_rate": 1e-3, "weight_decay": 0.0, **SCHEDULES[WIDE.schedule]}


@dataclass(frozen=True)
class Size:
    """How one size of the training set is treated: `epochs` passes over it, but at least so many steps."""

    images: int | None  # None for all
    epochs: int
    least_steps: int
    evaluations: int  # points of a curve
    dropouts: list[float]

    def steps(self, images: int) -> int:
        steps = max(self.least_steps, self.epochs * images // BATCH)
        return steps - steps % self.evaluations  # so that the last evaluation is that of the last step


FULL = {"few": Size(IMAGES, 150, 1_000, 12, [0.0, 0.3, HALF, 0.7]), "all": Size(None, 12, 1_000, 12, [0.0, 0.2, HALF])}
QUICK = {"few": Size(500, 60, 240, 6, [0.0, HALF]), "all": Size(None, 3, 240, 6, [0.0, HALF])}


def measure(study: Study) -> Tables:
    """Train every size and dropout with every seed."""
    parts, sizes = ImageParts.read(study.data), study.pick(QUICK, FULL)
    cells = [(size, p, seed) for size, how in sizes.items() for p in how.dropouts for seed in study.seeds]
    points, tests = [], []
    for size, p, seed in study.track(cells):
        how, setting = sizes[size], {"size": size, "dropout": p, "seed": seed}
        task = mlp_task(parts, how.images, WIDE.width, seed, BATCH, p)
        steps = how.steps(len(task.images))
        points += [{**setting, **record} for record in train_curve(task, steps, how.evaluations, **TRAINING)]
        tests.append({**setting, "images": len(task.images), "steps": steps, **on_test(task.model, parts)})
    return {"curves": pd.DataFrame(points), "test": pd.DataFrame(tests)}


def at_the_end(tables: Tables) -> pd.DataFrame:
    """Return a row a net: its test, the end of its curve, the `gap` between the losses, and how far validation rose."""
    key = ["size", "dropout", "seed"]
    points = tables["curves"].sort_values("step")
    end = points.groupby(key, sort=False).last().drop(columns="step")
    end["gap"] = end["validation_loss"] - end["train_loss"]
    end["rise"] = end["validation_loss"] - points.groupby(key)["validation_loss"].min()
    return tables["test"].join(end, on=key)


def chosen_dropout(ends: pd.DataFrame, size: str) -> float:
    """Return the p above 0 whose mean validation accuracy is greatest."""
    rows = ends[(ends["size"] == size) & (ends["dropout"] > 0)]
    return float(best(rows, "dropout", "validation_accuracy", by=["size"], largest=True)["dropout"][0])


def findings(tables: Tables) -> list[Finding]:
    ends, found = at_the_end(tables), []

    def against_none(column: str, size: str, p: float, other: float = 0.0) -> np.ndarray:
        return np.subtract(*(by_seed(ends, column, size=size, dropout=dropout) for dropout in (p, other)))

    for size in ends["size"].unique():
        chosen, most = chosen_dropout(ends, size), select(ends, size=size)["dropout"].max()
        found += [
            above(f"{size}_gain", 100 * against_none("test_accuracy", size, chosen)),
            above(f"{size}_loss", -against_none("test_loss", size, chosen)),
            above(f"{size}_validation", 100 * against_none("validation_accuracy", size, HALF)),
            above(f"{size}_gap", -against_none("gap", size, HALF)),
            above(f"{size}_rise", -against_none("rise", size, HALF)),
            above(f"{size}_too_much", 100 * against_none("test_accuracy", size, chosen, most)),
        ]
    few, all_images = (100 * against_none("test_accuracy", size, HALF) for size in ("few", "all"))
    return [*found, above("fewer_images", few - all_images)]


def draw(tables: Tables, say: Say) -> Figure:
    """Loss and accuracy by step, without dropout and with half of the units dropped; a row of panels a size."""
    table = tables["curves"]
    sizes = table["size"].unique()
    figure, axes = new_figure(len(sizes), 2)
    for row, size in zip(axes, sizes):
        rows = table[(table["size"] == size) & table["dropout"].isin([0.0, HALF])]
        images = int(select(tables["test"], size=size)["images"].iloc[0])
        for axis, quantity in zip(row, ("loss", "accuracy")):
            for part in ("validation", "train"):
                _pair(axis, rows, part, quantity, say)
            if quantity == "loss":
                axis.set_ylim(bottom=0)  # on a logarithmic axis one would not see validation rise again
            title = say("figures.curves.title", images=images)
            label(axis, say("figures.curves.step"), say(f"figures.curves.{quantity}"), title, legend=False)
    axes[0, 1].legend(frameon=False, fontsize=8.5)
    return figure


def _pair(axis: Axes, rows: pd.DataFrame, part: str, quantity: str, say: Say) -> None:
    """Draw the curves without and with dropout of one part of the images: validation solid, training dashed."""
    for (p, net), colour in zip(rows.groupby("dropout"), COLOURS):
        seeds = net.pivot_table(index="seed", columns="step", values=f"{part}_{quantity}")  # (seeds, steps)
        name = say(f"figures.curves.{'with' if p else 'without'}_{part}", p=float(p))
        axis.plot(seeds.columns, seeds.mean(), "-" if part == "validation" else "--", color=colour, lw=1.7, label=name)
        axis.fill_between(seeds.columns, seeds.min(), seeds.max(), color=colour, alpha=0.15, lw=0)


def draw_by_dropout(tables: Tables, say: Say) -> Figure:
    """Gap between the losses and accuracy on the test along p, a row of panels a size."""
    ends = at_the_end(tables)
    sizes = ends["size"].unique()
    figure, axes = new_figure(len(sizes), 2)
    for row, size in zip(axes, sizes):
        for axis, column in zip(row, ("gap", "test_accuracy")):
            curves(axis, ends[ends["size"] == size], "dropout", column, "size", say)
            label(axis, "p", say(f"figures.by_dropout.{column}"), say(f"names.{size}"), legend=False)
    return figure


def summarise(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds at the end of training."""
    columns = ["train_loss", "validation_loss", "gap", "train_accuracy", "validation_accuracy", "test_loss",
               "test_accuracy"]  # fmt: skip
    return means(at_the_end(tables), ["size", "images", "dropout"], columns)


FIGURES = {"curves": draw, "by_dropout": draw_by_dropout}
SUMMARIES = {"means": summarise}
