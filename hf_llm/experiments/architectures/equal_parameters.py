"""MLP, LeNet, ResNet and EfficientNet with equally many parameters, on the same images, for the same number of steps.

Two test sets: the images as they are, and moved by up to four pixels. One more MLP saw moved images in training: what
convolutions know by construction, data can teach.
"""

from functools import partial

import pandas as pd

from hf_llm.experiments.architectures.shift import SHIFTS, moved_test
from hf_llm.experiments.architectures.training import (
    CONVOLUTIONAL,
    FAMILIES,
    Images,
    accuracy_of,
    family,
    more_accurate,
    race,
)
from hf_llm.experiments.frame import Finding, Say, Study, Tables, below, by_seed, means, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure

STEPS = (20, 200)  # of the short and of the full version: less than one pass over MNIST
MOVED_IMAGES = (200, 2000)  # test images that are moved
NEARLY = 1.0  # percentage points: what a net may lose and still be called indifferent to shifts


def measure(study: Study) -> Tables:
    """Train the families, and an MLP on moved images; measure them at rest and moved."""
    images, steps = Images.of(study), study.pick(*STEPS)
    moved = moved_test(images.test, study.pick(*MOVED_IMAGES))

    def fit(net, model, rate, seed):
        return images.fit(model, steps, rate, seed, max_shift=max(SHIFTS) if net == "mlp_moved" else 0.0)

    def measured(model):
        return images.measure(model) | {"moved": [accuracy_of(model, moved[pixels]) for pixels in SHIFTS]}

    nets = {**{name: partial(family, name) for name in FAMILIES}, "mlp_moved": partial(family, "mlp")}
    tables = race(study, images, "equal_parameters", nets, fit, measured, rate_of={"mlp_moved": "mlp"})
    runs = tables["equal_parameters"]
    at_shifts = runs[["net", "seed"]].assign(shift=[SHIFTS] * len(runs), accuracy=runs.pop("moved"))
    shifts = at_shifts.explode(["shift", "accuracy"]).astype({"shift": int, "accuracy": float})
    return {"equal_parameters": runs, "shifts": shifts, **tables}


def findings(tables: Tables) -> list[Finding]:
    at_rest, shifts = tables["equal_parameters"], tables["shifts"]
    lenet = {pixels: by_seed(shifts, "accuracy", net="lenet", shift=pixels) for pixels in SHIFTS}
    moved = means(shifts[shifts["shift"] > 0], ["net", "seed"], ["accuracy"])
    return [
        more_accurate("lenet_over_mlp", at_rest, "lenet", "mlp"),
        *(more_accurate(f"{net}_over_lenet", at_rest, net, "lenet") for net in ("resnet", "efficientnet")),
        *(more_accurate(f"{net}_over_mlp_moved", moved, net, "mlp") for net in CONVOLUTIONAL),
        below("lenet_indifferent", 100 * (lenet[0] - lenet[max(SHIFTS)]), NEARLY),
        more_accurate("data_over_convolution", moved, "mlp_moved", "lenet"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Accuracy along the shift."""
    figure, ((axis,),) = new_figure(width=6.4)
    curves(axis, tables["shifts"], "shift", "accuracy", "net", say)
    axis.set_xticks(SHIFTS)
    label(axis, say("figures.shifts.x"), say("figures.shifts.y"))
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    table = means(tables["equal_parameters"], ["net"], ["parameters", "rate", "accuracy"])
    farthest = select(tables["shifts"], shift=max(SHIFTS)).groupby("net")["accuracy"].mean()
    return table.assign(parameters=table["parameters"].astype(int), moved=table["net"].map(farthest))


FIGURES = {"shifts": draw}
SUMMARIES = {"equal_parameters": summary}
