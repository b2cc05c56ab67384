"""The image task: its batches, its loss, accumulation, evaluation, augmentation, the bound on the weights' norms."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hf_llm.data.images import hold_out, read_images
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train


@pytest.fixture(scope="module")
def digits():
    return hold_out(read_images("digits").train, 1 / 6)


def make_task(digits, name="mlp", micro=32, total=32, world_size=1, train_figures=0, augmentation=None, **settings):
    if name == "mlp":
        settings = {"hidden_sizes": [24, 16], **settings}
    model = new_image_classifier(name, 0, **settings)
    return ImageClassification(
        model, *digits, total_batch_size=total, per_device_batch_size=micro, world_size=world_size, seed=3,
        train_figures=train_figures, augmentation=augmentation,
    )  # fmt: skip


def make_config(**changes):
    settings = {
        "max_steps": 20, "total_batch_size": 32, "per_device_train_batch_size": 32, "warmup_steps": 0, "threads": 1,
        "precision": "fp32", "eval_steps": 1000, "logging_steps": 1, "weight_decay": 0.0,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


def test_a_batch_holds_the_planned_images_as_the_processor_would_make_them(digits):
    task = make_task(digits)
    batch = task.batch(2, 0, 0)
    indices = task.plan.indices(2, 0, 0)
    expected = DigitsImageProcessor(digit_form="digits")(
        [digits[0].images[i] for i in indices], return_tensors="pt"
    ).pixel_values
    assert torch.equal(batch["labels"], torch.from_numpy(digits[0].labels[indices]))
    torch.testing.assert_close(batch["pixel_values"], expected, rtol=0, atol=1e-6)


def test_the_loss_is_the_models_own(digits):
    task = make_task(digits)
    batch = task.batch(0, 0, 0)
    own = task.model(**batch, num_items_in_batch=32).loss
    assert task.loss(task.model, batch, 32).item() == pytest.approx(own.item(), rel=1e-6)


@pytest.mark.parametrize("name", ["mlp", "lenet"])  # batch norm sees the micro-batch: resnet and efficientnet differ
def test_accumulation_equals_the_big_batch(digits, name):
    def run(micro, double):
        task = make_task(digits, name, micro=micro)
        if double:
            task.model.double()
            task.loss = lambda model, batch, n: (
                model(pixel_values=batch["pixel_values"].double(), labels=batch["labels"], num_items_in_batch=n).loss
            )
            task.evaluate = lambda model: {"validation_loss": 1.0}
        result = train(task, make_config(per_device_train_batch_size=micro))
        return [r["loss"] for r in result.records], torch.cat([p.flatten() for p in task.model.parameters()])

    (big, _), (accumulated, _) = run(32, False), run(8, False)
    assert len(big) == 20
    assert accumulated == pytest.approx(big, rel=1e-6)
    (_, big), (_, accumulated) = run(32, True), run(8, True)
    assert (big - accumulated).norm() <= 1e-9 * big.norm()


@pytest.mark.parametrize("name", ["resnet", "efficientnet"])
def test_transformers_own_classes_divide_by_the_items_of_the_step(digits, name):
    task = make_task(digits, name)
    task.model.eval()
    batch = task.batch(0, 0, 0)
    whole = task.loss(task.model, batch, 32).item()
    assert task.loss(task.model, batch, 64).item() == pytest.approx(whole / 2, rel=1e-6)


def test_evaluation_counts_what_is_right_and_keeps_the_mode(digits):
    task = make_task(digits, train_figures=100, dropout=0.5)
    task.model.train()
    figures = task.evaluate(task.model)
    assert task.model.training
    task.model.eval()
    images = DigitsImageProcessor(digit_form="digits")(list(digits[1].images), return_tensors="pt").pixel_values
    logits, labels = task.model(pixel_values=images).logits, torch.from_numpy(digits[1].labels)
    assert figures["validation_loss"] == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-4)
    assert figures["validation_accuracy"] == (logits.argmax(1) == labels).double().mean().item()
    first = classification_scores(task.model, digits[0].select(slice(100)))
    assert (figures["train_loss"], figures["train_accuracy"]) == (first["loss"], first["accuracy"])


def test_without_validation_images_no_step_is_the_best(digits):
    task = make_task((digits[0], digits[1].select(slice(0))))
    assert task.evaluate(task.model) == {}
    result = train(task, make_config(max_steps=3))
    assert result.progress.best_step == 0


def test_it_learns(digits):
    task = make_task(digits, train_figures=100)
    record = train(task, make_config(max_steps=150, learning_rate=3e-3)).records[-1]
    assert record["validation_accuracy"] > 0.75  # chance is 0.1; the exact figure depends on the processor


def test_what_augmentation_does_to_an_image_depends_on_its_draw_alone(digits):
    change = Augmentation(max_shift=2, max_turn=10, elastic=1.0)
    big = make_task(digits, augmentation=change).batch(4, 0, 0)["pixel_values"]
    halves = make_task(digits, micro=8, world_size=2, augmentation=change)
    parts = [halves.batch(4, micro, rank)["pixel_values"] for micro in (0, 1) for rank in (0, 1)]
    torch.testing.assert_close(torch.cat(parts), big, rtol=0, atol=1e-5)
    again = make_task(digits, augmentation=change).batch(4, 0, 0)["pixel_values"]
    assert torch.equal(big, again)
    plain = make_task(digits).batch(4, 0, 0)["pixel_values"]
    assert (big - plain).abs().mean() > 0.05


def test_a_shift_moves_and_background_comes_in(digits):
    images = make_task(digits).batch(0, 0, 0)["pixel_values"]
    moved = Augmentation(max_shift=3)(images, 0, np.arange(32))
    background = images.amin()
    assert moved.amin() >= background - 1e-4
    # what is drawn stays: the ink of the whole is about the same, its place is not
    ink = [(batch - background).sum(dim=(1, 2, 3)) for batch in (images, moved)]
    assert ((ink[0] - ink[1]).abs() / ink[0]).median() < 0.05
    assert not torch.allclose(images, moved, atol=0.1)


def test_an_elastic_field_has_the_size_that_was_asked_for_and_is_smooth():
    noise = torch.randn(4, 2, 28, 28, generator=torch.Generator().manual_seed(1))
    field = Augmentation(elastic=1.5)._field(noise)
    assert field.square().mean(dim=(1, 2, 3)).sqrt() == pytest.approx(torch.full((4,), 1.5), rel=1e-5)
    steps = (field[..., 1:] - field[..., :-1]).square().mean().sqrt()
    assert steps < 0.4 * 1.5  # neighbours move together; raw noise would differ by √2 times its size


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "rmsprop", "sgd"])
def test_max_weight_norm_holds_after_every_optimizers_step(digits, optimizer):
    def largest(limit):
        task = make_task(digits)
        train(task, make_config(max_steps=10, optimizer=optimizer, learning_rate=0.05, max_weight_norm=limit))
        return max(p.view(len(p), -1).norm(dim=1).max().item() for p in task.model.parameters() if p.dim() >= 2)

    assert largest(0.0) > 0.8
    assert largest(0.5) <= 0.5 + 1e-6


def test_max_weight_norm_leaves_small_weights_and_biases_alone(digits):
    def weights(limit):
        task = make_task(digits)
        train(task, make_config(max_steps=5, max_weight_norm=limit))
        return torch.cat([p.flatten() for p in task.model.parameters()])

    assert torch.equal(weights(0.0), weights(1e6))
