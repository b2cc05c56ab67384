"""Classifying 28×28 images: batches are rows of one tensor, evaluation gives loss and accuracy.

A `DataLoader` collates image by image, which costs more than a small net's whole step; here a batch is one indexing
of a tensor that lies in memory.
"""

import torch
import torch.nn.functional as F
from torch import nn

from hf_llm.data import BatchPlan
from hf_llm.data.images import LabelledImages
from hf_llm.generation.inference import evaluating
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.task import Task

(MEAN,), (STD,) = DigitsImageProcessor.image_mean, DigitsImageProcessor.image_std
EVALUATION_BATCH = 2000  # images a forward pass without gradients


class ImageClassification(Task):
    """A classifier of ten digits.

    Args:
        model: Returns `.logits` (B, classes) from `pixel_values` (B, 1, 28, 28).
        train: Training images.
        validation: Held-out images; may be none, then no step is the best one.
        total_batch_size, per_device_batch_size, world_size, seed: As in `BatchPlan`.
        augmentation: Moves and bends each training image anew; None shows them as they are.
        train_figures: On so many training images, the first ones, loss and accuracy are measured as on the validation
            part, in eval mode: the gap between the two is what over-fitting is.
    """

    unit = "images"

    def __init__(
        self, model: nn.Module, train: LabelledImages, validation: LabelledImages, *,
        total_batch_size: int, per_device_batch_size: int, world_size: int = 1, seed: int = 0,
        augmentation: Augmentation | None = None, train_figures: int = 0,
    ):  # fmt: skip
        self.model, self.seed, self.augmentation = model, seed, augmentation
        self.images, self.labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)
        self.validation, self.train_part = validation, train.select(slice(train_figures))
        self.plan = BatchPlan(len(train), total_batch_size, per_device_batch_size, world_size, seed)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `pixel_values` (B, 1, 28, 28) and `labels` (B,)."""
        indices = torch.from_numpy(self.plan.indices(step, micro_step, rank))  # (B,)
        images = pixel_values(self.images[indices])
        if self.augmentation:
            images = self.augmentation(images, self.seed, self.plan.places(step, micro_step, rank))
        return {"pixel_values": images, "labels": self.labels[indices]}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return len(batch["labels"])

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the cross-entropy from the logits: transformers' ResNet and EfficientNet ignore n."""
        logits = model(pixel_values=batch["pixel_values"]).logits
        return F.cross_entropy(logits.float(), batch["labels"], reduction="sum") / n

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return loss and accuracy of the validation part, and of the training part where that is asked for."""
        figures = {}
        for part, images in (("validation", self.validation), ("train", self.train_part)):
            if len(images):
                scores = classification_scores(model, images)
                figures |= {f"{part}_loss": scores["loss"], f"{part}_accuracy": scores["accuracy"]}
        return figures


def pixel_values(images: torch.Tensor) -> torch.Tensor:
    """Return uint8 images (B, 28, 28) as a model wants them: (B, 1, 28, 28), scaled as the image processor does."""
    return images.unsqueeze(1).float().div_(255).sub_(MEAN).div_(STD)


@torch.inference_mode()
def logits_of(model: nn.Module, images: LabelledImages) -> torch.Tensor:
    """Return the logits in eval mode, (N, classes); the model's mode is kept."""
    device = next(model.parameters()).device
    with evaluating(model):
        parts = torch.from_numpy(images.images).split(EVALUATION_BATCH)
        return torch.cat([model(pixel_values=pixel_values(part).to(device)).logits.float().cpu() for part in parts])


def classification_scores(model: nn.Module, images: LabelledImages) -> dict[str, float | int]:
    """Return mean cross-entropy (nats), accuracy, and the counts behind it."""
    logits, labels = logits_of(model, images), torch.from_numpy(images.labels)
    correct = int((logits.argmax(dim=1) == labels).sum())
    return {
        "loss": F.cross_entropy(logits, labels).item(),
        "accuracy": correct / len(labels),
        "correct": correct,
        "images": len(labels),
    }
