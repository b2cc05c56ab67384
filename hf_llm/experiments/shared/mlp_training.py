"""Training an MLP on few images or on all of them: what the experiments on overfitting do."""

from collections.abc import Callable
from dataclasses import dataclass

from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification
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

    def drawn(self, count: int | None, seed: int) -> LabelledImages:
        """Return `count` training images drawn by the seed, or all of them where it is None."""
        return self.train if count is None else draw(self.train, count, seed)


def mlp_task(
    parts: ImageParts, images: int | None, width: int, seed: int, batch: int, dropout: float = 0.0, **model
) -> ImageClassification:
    """Return an MLP with two hidden layers of `width` units and its images.

    Args:
        parts: The images.
        images: How many of them to train on; None for all.
        width: Units of a hidden layer.
        seed: Of weights, images, their order and dropout.
        batch: Images a step.
        dropout: Probability with which training zeroes a hidden unit.
        model: Further settings of the MLP.
    """
    return ImageClassification(
        new_image_classifier("mlp", seed, hidden_sizes=[width, width], dropout=dropout, **model),
        parts.drawn(images, seed),
        parts.validation,
        total_batch_size=batch,
        per_device_batch_size=batch,
        seed=seed,
        train_figures=len(parts.validation),
    )


def train_curve(
    task: ImageClassification, steps: int, evaluations: int, on_record: Callable[[dict], None] | None = None, *,
    warmup_steps: int, **settings,
) -> list[dict]:  # fmt: skip
    """Train for `steps`, at most all of them warm-up, and return {`step` and SCORES} of each evaluation.

    `settings` are further ones of `TrainingConfig`.
    """
    config = TrainingConfig(
        seed=task.seed,
        max_steps=steps,
        warmup_steps=min(warmup_steps, steps),
        total_batch_size=task.plan.total_batch_size,
        per_device_train_batch_size=task.plan.total_batch_size,
        eval_steps=max(1, steps // evaluations),
        logging_steps=steps,
        precision="fp32",
        threads=1,  # a net of this size gains nothing from a second one, and the bits depend on the number
        **settings,
    )
    records = [record for record in train(task, config, on_record=on_record).records if "validation_loss" in record]
    return [{score: record[score] for score in ["step", *SCORES]} for record in records]
