"""What the parts share: how a network picks its learning rate, trains with every seed, and is looked into on the way.

Each kind of network looks for its rate in the same grid, with a seed kept for that, on images held out of the training
set. Then it trains with that rate and all seeds, and meets the test set once.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from hf_llm.config import UserError
from hf_llm.experiments.frame import Study, Tables
from hf_llm.experiments.relu_depth.nets import DeepMLP, Kind
from hf_llm.experiments.relu_depth.probe import powers, powers_lost, probe
from hf_llm.experiments.shared import image_runs
from hf_llm.experiments.shared.image_runs import ImageParts, best_rate, image_task
from hf_llm.experiments.shared.short_run import SEARCH_SEED, short_run
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

DIGITS = 4  # of powers of ten by layer, after the point: the files are read by people, too
Net = tuple[Kind, str]  # with its optimizer


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    depths: tuple[int, ...]  # hidden layers, from the fewest to the most
    width: int  # units of a hidden layer
    steps: int  # of the optimizer, in a training
    batch: int  # images per step
    rates: dict[str, tuple[float, ...]]  # {optimizer: learning rates to pick from}
    judged: int  # held-out images, at most, that a rate is picked on
    probed: int  # held-out images, at most, that a network is looked into with
    looks: int  # times that a network is looked into while it trains, besides the start


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


def train_nets(study: Study, name: str, nets: dict[Net, tuple[float, ...]], grid: Grid, followed=()) -> Tables:
    """Pick each network's rate from those beside it in `nets`, then train it with every seed.

    Returns:
        The table `name`, one row for a network and seed; `name`_rates, the trials, where there were any; of the
        networks that are followed, `name`_layers: the gradient by layer, relative to the last layer's, in powers of
        ten, and the fraction of dead units, at each look.
    """
    images = ImageParts.read(study.data)
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


def try_rate(images: ImageParts, grid: Grid, kind: Kind, optimizer: str, rate: float) -> dict:
    """Return accuracy and loss on the images for picking; of a training that diverged, nothing and infinity."""
    net = DeepMLP(kind, grid.width, SEARCH_SEED)
    task = image_task(net, images.train, grid.batch, SEARCH_SEED)
    config = short_run(grid.steps, rate, SEARCH_SEED, optimizer=optimizer)
    return image_runs.try_rate(rate, net, lambda: train(task, config), images.validation.select(slice(grid.judged)))


class Observed(ImageClassification):
    """An image classification that looks into the network instead of judging it; `looks` holds what it saw."""

    def __init__(self, net: DeepMLP, images: ImageParts, grid: Grid, seed: int):
        super().__init__(
            net, images.train, images.train.select(slice(0)), total_batch_size=grid.batch,
            per_device_batch_size=grid.batch, seed=seed,
        )  # fmt: skip
        self.probed = images.validation.select(slice(grid.probed))
        self.looks = [probe(net, self.probed)]

    def evaluate(self, model: DeepMLP) -> dict:
        self.looks.append(probe(model, self.probed))
        return {}


def train_net(
    images: ImageParts, grid: Grid, kind: Kind, optimizer: str, rate: float, seed: int
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
    try:  # without clipping, the networks whose gradient explodes would take enormous steps
        train(task, short_run(grid.steps, rate, seed, optimizer=optimizer, eval_steps=grid.steps // grid.looks))
    except UserError:  # it diverged: judged with the last weights, and looked into where it stands
        task.looks += [probe(net, task.probed)] * (1 + grid.looks - len(task.looks))
    first, last = task.looks[0], task.looks[-1]
    born_dead = first["dead"]
    return {
        "test_accuracy": classification_scores(net, images.test)["accuracy"], "batch_accuracy": last["accuracy"],
        "lost": powers_lost(first["gradients"]), "lost_after": powers_lost(last["gradients"]),
        "dead": born_dead.mean(), "dead_after": last["dead"].mean(),
        "came_back": (~last["dead"][born_dead]).mean() if born_dead.any() else np.nan,
    }, task.looks  # fmt: skip


def by_layer(described: dict, looks: list[dict], grid: Grid) -> list[dict]:
    """Return one row for each look and layer."""
    return [
        {**described, "step": number * (grid.steps // grid.looks), "layer": layer,
         "power": round(float(power), DIGITS), "dead": float(dead)}
        for number, look in enumerate(looks)
        for layer, (power, dead) in enumerate(zip(powers(look["gradients"]), look["dead"].mean(axis=1)), start=1)
    ]  # fmt: skip
