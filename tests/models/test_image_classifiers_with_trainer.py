"""transformers' Trainer with our classes: four accumulated micro-batches are the big batch, the ragged last one too."""

import pytest
import torch
from transformers import Trainer, TrainingArguments

from hf_llm.data.digits import read_digits
from hf_llm.models.image_classifiers import MLPForImageClassification, new_image_classifier

# an epoch is 16 + 16 + 16 + 14 images: 14 in micro-batches of 4, 4, 4 and 2, where a mean of means is wrong
IMAGES, STEPS, TOTAL = 62, 20, 16


class MeanOfMicroBatch(MLPForImageClassification):
    """What our model would be if it swallowed num_items_in_batch, as transformers' ResNet does."""

    def forward(self, pixel_values, labels=None, num_items_in_batch=None, **kwargs):
        return super().forward(pixel_values, labels=labels, **kwargs)


class MeanOfMeans(MeanOfMicroBatch):
    """The same, honestly declared: Trainer then divides by the number of micro-batches itself."""

    accepts_loss_kwargs = False


@pytest.fixture(scope="module")
def dataset() -> list[dict]:
    images, labels = (torch.from_numpy(array[:IMAGES]) for array in read_digits()[0])
    pixel_values = (images[:, None] / 255 - 0.1307) / 0.3081  # (62, 1, 28, 28)
    return [{"pixel_values": image, "labels": label} for image, label in zip(pixel_values, labels)]


def losses(model, dataset, folder, micro_batch: int) -> torch.Tensor:
    arguments = TrainingArguments(
        output_dir=folder, use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True, seed=0,
        per_device_train_batch_size=micro_batch, gradient_accumulation_steps=TOTAL // micro_batch,
        max_steps=STEPS, learning_rate=2e-3, logging_steps=1, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = Trainer(model=model, args=arguments, train_dataset=dataset)
    trainer.train()
    return torch.tensor([entry["loss"] for entry in trainer.state.log_history if "loss" in entry], dtype=torch.float64)


def difference(make_model, dataset, folder) -> float:
    """Return the largest relative difference between the losses of the big batch and of four micro-batches."""
    big = losses(make_model(), dataset, folder, TOTAL)
    accumulated = losses(make_model(), dataset, folder, TOTAL // 4)
    assert len(big) == len(accumulated) == STEPS
    assert big[-1] < 0.7 * big[0]  # it learns, so a wrong gradient would show
    return ((accumulated - big) / big).abs().max().item()


@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_accumulation_of_four_gives_the_losses_of_the_big_batch(name, dataset, tmp_path):
    assert difference(lambda: new_image_classifier(name, seed=0), dataset, tmp_path) <= 1e-5


@pytest.mark.parametrize("wrong_class", [MeanOfMicroBatch, MeanOfMeans])
def test_a_model_that_ignores_the_number_of_items_would_be_seen(wrong_class, dataset, tmp_path):
    def make_model():
        model = new_image_classifier("mlp", seed=0)
        model.__class__ = wrong_class
        return model

    assert difference(make_model, dataset, tmp_path) > 1e-3
