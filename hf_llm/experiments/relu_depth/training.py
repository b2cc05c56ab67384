"""What the parts share: how a network picks its learning rate, trains with every seed, and is looked into on the way.

Each kind of network looks for its rate in the same grid, with a seed kept for that, on images held out of the training
set. Then it trains with that rate and all seeds, and meets the test set once.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from hf_llm.config import UserError
from hf_llm.data.images import ImageData, LabelledImages, hold_out, read_images
from hf_llm.experiments.frame import Study, Tables
from hf_llm.experiments.relu_depth.nets import DeepMLP, Kind
from hf_llm.experiments.relu_depth.probe import powers, powers_lost, probe
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
PICKING_SEED = 1000  # no seed of the comparison
DIGITS = 4  # of powers of ten by layer, after the point: the files are read by people, too
Net = tuple[Kind, str]  # with its optimizer


@dataclass(frozen=True)
class Grid:
    """How much is run.

    Args:
        depths: Hidden layers, from the fewest to the most.
        width: Units of a hidden layer.
        steps: Optimizer steps of a training.
        batch: Images per step.
        rates: {optimizer: learning rates to pick from}.
        judged: Held-out images, at most, that a rate is picked on.
        probed: Held-out images, at most, that a network is looked into with.
        looks: Times that a network is looked into while it trains, besides the start.
    """

    depths: tuple[int, ...]
    width: int
    steps: int
    batch: int
    rates: dict[str, tuple[float, ...]]
    judged: int
    probed: int
    looks: int


FULL = Grid(
    depths=(2, 5, 10, 20, 50), width=64, steps=300, batch=128, judged=2000, probed=1000, looks=3,
    rates={"sgd": (0.01, 0.03, 0.1, 0.3), "adam": (0.001, 0.003, 0.01)},
)  # fmt: skip
QUICK = Grid(
    depths=(2, 5, 20), width=64, steps=60, batch=64, judged=500, probed=300, looks=2,
    rates={"sgd": (0.05,), "adam": (0.003,)},  # nothing to pick from: the search would take a third of the time
)  # fmt: skip


def grid_of(study: Study, **changes) -> Grid:
    """Return the grid of the short or of the full version, with some changes."""
    return replace(study.pick(QUICK, FULL), **changes)


@dataclass(frozen=True)
class Images:
    """To train on, to pick a rate by, to look into a network with, and to measure with at the end."""

    data: ImageData
    train: LabelledImages
    judged: LabelledImages
    probed: LabelledImages

    @classmethod
    def read(cls, source: str, grid: Grid) -> "Images":
        data = read_images(source)
        images, held_out = hold_out(data.train, HELD_OUT)
        return cls(data, images, held_out.select(slice(grid.judged)), held_out.select(slice(grid.probed)))

    def task(self, net: DeepMLP, grid: Grid, seed: int) -> ImageClassification:
        return ImageClassification(
            net, self.train, self.judged, total_batch_size=grid.batch, per_device_batch_size=grid.batch, seed=seed
        )


def train_nets(study: Study, name: str, nets: dict[Net, tuple[float, ...]], grid: Grid, followed=()) -> Tables:
    """Pick each network's rate, where there is a choice, then train it with every seed.

    Args:
        study: The run.
        name: Of the tables.
        nets: The networks, each with the learning rates that it picks from.
        grid: What they share.
        followed: Networks whose layers are logged.

    Returns:
        The table `name`, one row for a network and seed; `name`_rates, the trials, where there were any; of the
        networks that are followed, `name`_layers: the gradient by layer, relative to the last layer's, in powers of
        ten, and the fraction of dead units, at each look.
    """
    images = Images.read(study.data, grid)
    tables: dict[str, list[dict]] = {name: [], f"{name}_rates": [], f"{name}_layers": []}
    for (kind, optimizer), rates in study.track(nets.items()):
        described, (rate, *others) = {**asdict(kind), "optimizer": optimizer}, rates
        if others:
            tried = [try_rate(images, grid, kind, optimizer, rate) for rate in rates]
            rate = best_rate(tried)
            tables[f"{name}_rates"] += [{**described, **trial, "picked": trial["rate"] == rate} for trial in tried]
        for seed in study.seeds:
            row, looks = train_net(images, grid, kind, optimizer, rate, seed)
            tables[name].append({**described, "rate": rate, "seed": seed, **row})
            if (kind, optimizer) in followed:
                tables[f"{name}_layers"] += by_layer({"activation": kind.activation, "seed": seed}, looks, grid)
    return {table: pd.DataFrame(rows) for table, rows in tables.items() if rows}


def training_config(grid: Grid, optimizer: str, rate: float, seed: int, looks: int) -> TrainingConfig:
    """Return the settings: a warm-up, then a cosine down to zero, and gradients clipped at norm 1.

    Without clipping the networks whose gradient explodes would take enormous steps.
    """
    return TrainingConfig(
        seed=seed, max_steps=grid.steps, total_batch_size=grid.batch, per_device_train_batch_size=grid.batch,
        optimizer=optimizer, learning_rate=rate, min_learning_rate_ratio=0.0, warmup_steps=grid.steps // 10,
        weight_decay=0.0, max_grad_norm=1.0, eval_steps=grid.steps // looks, logging_steps=grid.steps,
        precision="fp32", threads=1,
    )  # fmt: skip


def try_rate(images: Images, grid: Grid, kind: Kind, optimizer: str, rate: float) -> dict:
    """Return accuracy and loss on the images for picking; of a training that diverged, nothing and infinity."""
    task = images.task(DeepMLP(kind, grid.width, PICKING_SEED), grid, PICKING_SEED)
    try:
        last = train(task, training_config(grid, optimizer, rate, PICKING_SEED, looks=1)).records[-1]
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return {"rate": rate, "accuracy": 0.0, "loss": float("inf")}
    return {"rate": rate, "accuracy": last["validation_accuracy"], "loss": last["validation_loss"]}


def best_rate(trials: list[dict]) -> float:
    """Return the rate with the best accuracy; of equal ones that with less loss."""
    return max(trials, key=lambda trial: (trial["accuracy"], -trial["loss"]))["rate"]


class Observed(ImageClassification):
    """An image classification that looks into the network instead of judging it; `looks` holds what it saw."""

    def __init__(self, net: DeepMLP, images: Images, grid: Grid, seed: int):
        super().__init__(
            net, images.train, images.judged.select(slice(0)), total_batch_size=grid.batch,
            per_device_batch_size=grid.batch, seed=seed,
        )  # fmt: skip
        self.probed = images.probed
        self.looks = [probe(net, self.probed)]

    def evaluate(self, model: DeepMLP) -> dict:
        self.looks.append(probe(model, self.probed))
        return {}


def train_net(
    images: Images, grid: Grid, kind: Kind, optimizer: str, rate: float, seed: int
) -> tuple[dict, list[dict]]:
    """Train one network and measure it.

    Returns:
        The row: `test_accuracy`; `batch_accuracy` on held-out images, where batch norm takes their own statistics
        instead of the running averages of training; before and after training, the powers of ten that the gradient
        loses from the last hidden layer to the first, and the fraction of dead units; of the units that were dead
        before training, the fraction that is not dead afterwards, missing where there were none. And the looks, as
        `probe` returns them.
    """
    net = DeepMLP(kind, grid.width, seed)
    task = Observed(net, images, grid, seed)
    try:
        train(task, training_config(grid, optimizer, rate, seed, grid.looks))
    except UserError:  # it diverged: judged with the last weights, and looked into where it stands
        task.looks += [probe(net, images.probed)] * (1 + grid.looks - len(task.looks))
    first, last = task.looks[0], task.looks[-1]
    born_dead = first["dead"]
    return {
        "test_accuracy": classification_scores(net, images.data.test)["accuracy"],
        "batch_accuracy": last["accuracy"],
        "lost": powers_lost(first["gradients"]),
        "lost_after": powers_lost(last["gradients"]),
        "dead": born_dead.mean(),
        "dead_after": last["dead"].mean(),
        "came_back": (~last["dead"][born_dead]).mean() if born_dead.any() else np.nan,
    }, task.looks


def by_layer(described: dict, looks: list[dict], grid: Grid) -> list[dict]:
    """Return one row for each look and layer."""
    rows = []
    for number, look in enumerate(looks):
        for layer, (power, dead) in enumerate(zip(powers(look["gradients"]), look["dead"].mean(axis=1)), start=1):
            rows.append({
                **described, "step": number * (grid.steps // grid.looks), "layer": layer,
                "power": round(float(power), DIGITS), "dead": float(dead),
            })  # fmt: skip
    return rows
