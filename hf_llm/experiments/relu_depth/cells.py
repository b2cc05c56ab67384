"""Lab `relu-depth`, the trainings: which nets, with which learning rate, and what is looked at on the way.

Each kind of net looks for its rate in the same grid, with a seed kept for that, on images held out of the training set.
Then it trains with that rate and all the seeds, and meets the test set once.
"""

from dataclasses import dataclass

import numpy as np

from hf_llm.config import UserError
from hf_llm.data.images import ImageData, LabelledImages, hold_out, read_images
from hf_llm.experiments.relu_depth.nets import HE, RESCUES, XAVIER, DeepMLP, Kind
from hf_llm.experiments.relu_depth.probe import probe
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
PICKING_SEED = 1000  # no seed of the comparison
CUSTOMARY = {"sigmoid": XAVIER, "tanh": XAVIER, "relu": HE, "gelu": HE}  # the weights that each activation is given
OTHER_WEIGHTS = {"relu": XAVIER, "tanh": HE}  # trained, too; for sigmoid and GELU they are looked at, not trained


@dataclass(frozen=True)
class Study:
    """How much is run.

    Args:
        depths: Hidden layers, from the fewest to the most.
        width: Units of a hidden layer.
        steps: Optimizer steps of a training.
        batch: Images a step.
        rates: {optimizer: learning rates that a net picks from}.
        judged: Held-out images, at most, that a rate is picked on.
        probed: Held-out images, at most, that a net is looked at with.
        looks: Times that a net is looked at while it trains, besides the start.
    """

    depths: tuple[int, ...]
    width: int
    steps: int
    batch: int
    rates: dict[str, tuple[float, ...]]
    judged: int
    probed: int
    looks: int


FULL = Study(
    depths=(2, 5, 10, 20, 50), width=64, steps=300, batch=128, judged=2000, probed=1000, looks=3,
    rates={"sgd": (0.01, 0.03, 0.1, 0.3), "adam": (0.001, 0.003, 0.01)},
)  # fmt: skip
QUICK = Study(
    depths=(2, 5, 20), width=64, steps=60, batch=64, judged=500, probed=300, looks=2,
    rates={"sgd": (0.05,), "adam": (0.003,)},  # nothing to pick from: the search would take a third of the time
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The images: to train on, to pick a rate by, to look into a net with, and to measure with at the end."""

    data: ImageData
    train: LabelledImages
    judged: LabelledImages
    probed: LabelledImages

    @classmethod
    def read(cls, source: str, study: Study) -> "Parts":
        data = read_images(source)
        images, held_out = hold_out(data.train, HELD_OUT)
        return cls(data, images, held_out.select(slice(study.judged)), held_out.select(slice(study.probed)))


class Observed(ImageClassification):
    """An image classification that looks into the net instead of judging it; `looks` holds what it saw."""

    def __init__(self, net: DeepMLP, parts: Parts, study: Study, seed: int):
        super().__init__(
            net, parts.train, parts.judged.select(slice(0)), total_batch_size=study.batch,
            per_device_batch_size=study.batch, seed=seed,
        )  # fmt: skip
        self.probed = parts.probed
        self.looks = [probe(net, self.probed)]

    def evaluate(self, model: DeepMLP) -> dict:
        self.looks.append(probe(model, self.probed))
        return {}


def grid(study: Study) -> list[tuple[Kind, str]]:
    """Return the nets to be trained, each with its optimizer."""
    plain = [
        (Kind(depth, activation, weights), "sgd")
        for which in (CUSTOMARY, OTHER_WEIGHTS) for activation, weights in which.items() for depth in study.depths
    ]  # fmt: skip
    by_adam = [(Kind(depth, "sigmoid", CUSTOMARY["sigmoid"]), "adam") for depth in study.depths]
    rescued = [
        (Kind(study.depths[-1], activation, weights, **rescue), "sgd")
        for rescue in RESCUES.values() if rescue for activation, weights in CUSTOMARY.items()
    ]  # fmt: skip
    return [*plain, *by_adam, *rescued]


def training_config(study: Study, optimizer: str, rate: float, seed: int, looks: int) -> TrainingConfig:
    """Return the settings: a warm-up, then a cosine down to zero, and gradients clipped at norm 1.

    Without clipping the nets whose gradient explodes would take enormous steps. One thread, so that the numbers do not
    depend on the cores.
    """
    return TrainingConfig(
        seed=seed, max_steps=study.steps, total_batch_size=study.batch, per_device_train_batch_size=study.batch,
        optimizer=optimizer, learning_rate=rate, min_learning_rate_ratio=0.0, warmup_steps=study.steps // 10,
        weight_decay=0.0, max_grad_norm=1.0, eval_steps=study.steps // looks, logging_steps=study.steps,
        precision="fp32", threads=1,
    )  # fmt: skip


def try_rate(parts: Parts, study: Study, kind: Kind, optimizer: str, rate: float) -> dict:
    """Return accuracy and loss on the images for picking; of a training that diverged, nothing and infinity."""
    task = ImageClassification(
        DeepMLP(kind, study.width, PICKING_SEED), parts.train, parts.judged, total_batch_size=study.batch,
        per_device_batch_size=study.batch, seed=PICKING_SEED,
    )  # fmt: skip
    try:
        last = train(task, training_config(study, optimizer, rate, PICKING_SEED, looks=1)).records[-1]
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return {"rate": rate, "accuracy": 0.0, "loss": float("inf")}
    return {"rate": rate, "accuracy": last["validation_accuracy"], "loss": last["validation_loss"]}


def best_rate(trials: list[dict]) -> float:
    """Return the rate with the best accuracy; of equal ones that with less loss."""
    return max(trials, key=lambda trial: (trial["accuracy"], -trial["loss"]))["rate"]


def train_net(parts: Parts, study: Study, kind: Kind, optimizer: str, rate: float, seed: int) -> dict:
    """Train one net and measure it.

    Returns:
        `steps` and, at each of them, `gradients` and `dead` as in `probe`; the `rate`, and `test_accuracy`.
    """
    net = DeepMLP(kind, study.width, seed)
    task = Observed(net, parts, study, seed)
    try:
        train(task, training_config(study, optimizer, rate, seed, study.looks))
    except UserError:  # it diverged: judged with the last weights, and looked at where it stands
        task.looks += [probe(net, parts.probed)] * (1 + study.looks - len(task.looks))
    return {
        "rate": rate,
        "steps": [place * (study.steps // study.looks) for place in range(study.looks + 1)],
        "gradients": np.array([look["gradients"] for look in task.looks]),  # (looks, layers)
        "dead": np.array([look["dead"] for look in task.looks]),  # (looks, layers, width)
        "test_accuracy": classification_scores(net, parts.data.test)["accuracy"],
    }
