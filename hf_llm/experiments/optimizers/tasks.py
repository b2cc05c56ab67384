"""What the parts on images share: images in three parts, one short training, two ways to run it.

Settings are chosen on other images than those that measure the outcome, so that a rule cannot look good by having been
fitted to its own judge.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch.optim import Optimizer

from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.experiments.shared.image_runs import HELD_OUT, image_task
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification
from hf_llm.training.loop import train
from hf_llm.training.optimizer import learning_rate

HIDDEN_SIZES = [128]
BATCH_SIZE = 100
BETAS = (0.9, 0.99)
EVALUATIONS = 10  # on a curve


class ThreeParts(NamedTuple):
    """Images to train on, to choose settings by, and to measure the outcome on."""

    train: LabelledImages
    choose: LabelledImages
    measure: LabelledImages

    @classmethod
    def read(cls, source: str) -> "ThreeParts":
        rest, measure = hold_out(read_images(source).train, HELD_OUT)
        return cls(*hold_out(rest, HELD_OUT), measure)

    def task(self, count: int, seed: int, judge: LabelledImages) -> ImageClassification:
        """Return a small net on `count` drawn images; the seed decides weights, images and their order."""
        model = new_image_classifier("mlp", seed, hidden_sizes=HIDDEN_SIZES)
        images = draw(self.train, min(count, len(self.train)), seed)
        return image_task(model, images, min(BATCH_SIZE, len(images)), seed, judge)


def settings(rate: float, seed: int, steps: int, **changes) -> TrainingConfig:
    """Return what all runs share: a cosine from `rate` to a tenth of it, no warm-up, no clipping, no decay."""
    return short_run(steps, rate, seed, **{
        "min_learning_rate_ratio": 0.1, "warmup_steps": 0, "max_grad_norm": 0.0, "adam_beta1": BETAS[0],
        "adam_beta2": BETAS[1], "eval_steps": max(1, steps // EVALUATIONS), **changes,
    })  # fmt: skip


def by_the_loop(task: ImageClassification, config: TrainingConfig) -> list[dict]:
    """Train with the project's loop and torch's optimizer of `config`; return the evaluations."""
    return [record for record in train(task, config).records if "validation_loss" in record]


def by_hand(make: Callable[..., Optimizer], task: ImageClassification, config: TrainingConfig) -> list[dict]:
    """Train with any optimizer: what is left of the loop when it need not log, save, clip or share work."""
    optimizer, records = make(task.model.parameters(), lr=config.learning_rate), []
    for step in range(config.max_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        batch = task.batch(step, micro_step=0, rank=0)
        optimizer.zero_grad()
        task.loss(task.model, batch, task.items(batch)).backward()
        optimizer.step()
        if (step + 1) % config.eval_steps == 0 or step + 1 == config.max_steps:
            records.append({"step": step + 1, **task.evaluate(task.model)})
    return records
