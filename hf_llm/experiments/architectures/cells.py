"""Lab `architectures`, the trainings: which learning rate a net gets, how long it trains, what is measured of it.

Each net looks for its rate in the same grid, with a seed of its own, on images held out of the training set. Then it
trains with that rate and all the seeds, and meets the test set once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from hf_llm.config import UserError
from hf_llm.data.images import ImageData, LabelledImages, hold_out, read_images
from hf_llm.experiments.architectures.nets import parameters_of
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
PICKING_SEED = 1000  # no seed of the comparison
AT_ONCE = 500  # images: of more, EfficientNet's maps leave the processor's cache, and take nearly twice the time
NetMaker = Callable[[int], nn.Module]  # from a seed


@dataclass(frozen=True)
class Study:
    """How much is run.

    Args:
        batch: Images a step.
        steps: Optimizer steps: of the four families at equal parameters, of the ResNets of several depths, of the
            LeNets with several activations, of the recurrent nets.
        rates: Learning rates that each net picks from.
        picking_images: Held-out images that a rate is picked on.
        seconds: Training time of the comparison at equal time.
        depths: Residual blocks a stage.
        shifted_images: Test images that are moved.
    """

    batch: int
    steps: dict[str, int]
    rates: tuple[float, ...]
    picking_images: int
    seconds: float
    depths: tuple[tuple[int, ...], ...]
    shifted_images: int


FULL = Study(
    batch=64, steps={"families": 200, "depth": 60, "activations": 150, "recurrent": 250}, rates=(3e-3, 1e-2, 3e-2),
    picking_images=2000, seconds=4.0, depths=((2, 2, 1), (6, 6, 6)), shifted_images=2000,
)  # fmt: skip
QUICK = Study(
    batch=32, steps={"families": 20, "depth": 10, "activations": 20, "recurrent": 20}, rates=(1e-2,),
    picking_images=100, seconds=0.2, depths=((2, 2, 1), (4, 4, 4)), shifted_images=200,
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The images: to train on, to pick a rate by, and to measure with at the end."""

    data: ImageData
    train: LabelledImages
    picking: LabelledImages

    @classmethod
    def read(cls, source: str, study: Study) -> "Parts":
        data = read_images(source)
        images, held_out = hold_out(data.train, HELD_OUT)
        return cls(data, images, held_out.select(slice(study.picking_images)))


def train_net(
    parts: Parts,
    study: Study,
    make: NetMaker,
    steps: int,
    rate: float,
    seed: int,
    *,
    judged: bool = False,
    augmentation: Augmentation | None = None,
) -> dict:
    """Train one net: a warm-up, then a cosine down to zero, with Adam and gradients clipped at norm 1.

    Returns:
        `model`, `parameters`, `step_seconds` (the median), `seconds` (all of the training), and, where it is `judged`
        on the images for picking, `accuracy` and `loss` there.
    """
    model = make(seed)
    task = ImageClassification(
        model, parts.train, parts.picking if judged else parts.picking.select(slice(0)),
        total_batch_size=study.batch, per_device_batch_size=study.batch, seed=seed, augmentation=augmentation,
    )  # fmt: skip
    result = train(task, training_config(study, steps, rate, seed))
    last = result.records[-1]
    return {
        "model": model,
        "parameters": parameters_of(model),
        "step_seconds": result.step_seconds,
        "seconds": result.progress.seconds,
        "accuracy": last.get("validation_accuracy"),
        "loss": last.get("validation_loss"),
    }


def training_config(study: Study, steps: int, rate: float, seed: int) -> TrainingConfig:
    """Return the settings. One thread, so that neither numbers nor the order of the nets depend on the cores."""
    return TrainingConfig(
        seed=seed, max_steps=steps, total_batch_size=study.batch, per_device_train_batch_size=study.batch,
        optimizer="adam", learning_rate=rate, min_learning_rate_ratio=0.0, warmup_steps=steps // 10, weight_decay=0.0,
        eval_steps=steps, logging_steps=steps, precision="fp32", threads=1,
    )  # fmt: skip


def try_rate(parts: Parts, study: Study, make: NetMaker, steps: int, rate: float) -> dict:
    """Return accuracy and loss on the images for picking; of a training that diverged, nothing and infinity."""
    try:
        cell = train_net(parts, study, make, steps, rate, PICKING_SEED, judged=True)
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return {"rate": rate, "accuracy": 0.0, "loss": float("inf")}
    return {"rate": rate, "accuracy": cell["accuracy"], "loss": cell["loss"]}


def best_rate(trials: list[dict]) -> float:
    """Return the rate with the best accuracy; of equal ones that with less loss."""
    return max(trials, key=lambda trial: (trial["accuracy"], -trial["loss"]))["rate"]


def score_on_test(parts: Parts, cell: dict) -> dict:
    """Measure the whole test set; returns the cell with `test_accuracy` and `inference` (images a second)."""
    began = time.perf_counter()
    accuracy = accuracy_of(cell["model"], parts.data.test)
    seconds = time.perf_counter() - began
    return {**cell, "test_accuracy": accuracy, "inference": len(parts.data.test) / seconds}


def accuracy_of(model: nn.Module, images: LabelledImages) -> float:
    """Return the share of the images that the model gets right."""
    parts = [images.select(slice(start, start + AT_ONCE)) for start in range(0, len(images), AT_ONCE)]
    return sum(classification_scores(model, part)["correct"] for part in parts) / len(images)
