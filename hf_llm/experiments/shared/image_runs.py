"""What experiments that train on images share: the images in three parts, one short training, the search for a rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from hf_llm.config import UserError
from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
SCORES = ["train_loss", "validation_loss", "train_accuracy", "validation_accuracy"]


@dataclass(frozen=True)
class ImageParts:
    """Images to train on, to choose by, and to measure with at the end; `sha256` is that of all of them."""

    name: str
    sha256: str
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages

    @classmethod
    def read(cls, source: str, validation_images: int | None = None) -> "ImageParts":
        """Read `source`; validation keeps its first `validation_images`, or all of them."""
        data = read_images(source)
        train_images, validation = hold_out(data.train, HELD_OUT)
        return cls(data.name, data.sha256, train_images, validation.select(slice(validation_images)), data.test)


def image_task(
    model: nn.Module, images: LabelledImages, batch: int, seed: int, judge: LabelledImages | None = None, **settings
) -> ImageClassification:
    """Return the task to learn `images`, `batch` a step; without `judge` nothing is evaluated on the way."""
    judge = images.select(slice(0)) if judge is None else judge
    return ImageClassification(
        model, images, judge, total_batch_size=batch, per_device_batch_size=batch, seed=seed, **settings
    )


def try_rate(rate: float, model: nn.Module, fit: Callable[[], object], images: LabelledImages) -> dict:
    """Train `model` by `fit` and return its accuracy and loss on `images`; where it diverged, nothing and infinity."""
    try:
        fit()
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return {"rate": rate, "accuracy": 0.0, "loss": math.inf}
    scores = classification_scores(model, images)
    return {"rate": rate, "accuracy": scores["accuracy"], "loss": scores["loss"]}


def best_rate(trials: list[dict]) -> float:
    """Return the rate with the best accuracy; of equal ones that with less loss."""
    return max(trials, key=lambda trial: (trial["accuracy"], -trial["loss"]))["rate"]


def on_test(model: nn.Module, parts: ImageParts) -> dict[str, float]:
    """Return `test_loss` and `test_accuracy`."""
    scores = classification_scores(model, parts.test)
    return {"test_loss": scores["loss"], "test_accuracy": scores["accuracy"]}


def mlp_task(
    parts: ImageParts, images: int | None, width: int, seed: int, batch: int, dropout: float = 0.0, **model
) -> ImageClassification:
    """Return an MLP with two hidden layers of `width` units, and what it learns: `images` drawn ones, or all.

    The seed is that of weights, images, their order and dropout; `model` are further settings of the MLP.
    """
    return image_task(
        new_image_classifier("mlp", seed, hidden_sizes=[width, width], dropout=dropout, **model),
        parts.train if images is None else draw(parts.train, images, seed),
        batch, seed, parts.validation, train_figures=len(parts.validation),
    )  # fmt: skip


def train_curve(
    task: ImageClassification, steps: int, evaluations: int, on_record: Callable[[dict], None] | None = None, *,
    learning_rate: float, warmup_steps: int, **settings,
) -> list[dict]:  # fmt: skip
    """Train for `steps`, at most all of them warm-up, and return {`step` and SCORES} of each evaluation."""
    config = short_run(
        steps, learning_rate, task.seed, warmup_steps=min(warmup_steps, steps),
        eval_steps=max(1, steps // evaluations), **settings,
    )  # fmt: skip
    records = [record for record in train(task, config, on_record=on_record).records if "validation_loss" in record]
    return [{score: record[score] for score in ["step", *SCORES]} for record in records]
