"""transformers.Trainer, with its own AdamW, decay groups, clipping and cosine, gives the same losses."""

import pytest
import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments

from hf_llm.training.loop import train

STEPS = 60


class InOrder(Trainer):
    """Takes the samples as they come: the order is our batch plan's."""

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(self.train_dataset)


def trainer_losses(task, config, folder) -> list[float]:
    samples = []
    for step in range(STEPS):
        for micro_step in range(task.plan.accumulation):
            batch = task.batch(step, micro_step, 0)
            samples += [{name: tensor[row] for name, tensor in batch.items()} for row in range(4)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=STEPS,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        adam_beta1=config.adam_beta1,
        adam_beta2=config.adam_beta2,
        adam_epsilon=config.adam_epsilon,
        max_grad_norm=config.max_grad_norm,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": config.min_learning_rate_ratio},
        warmup_steps=0,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        remove_unused_columns=False,
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = InOrder(model=task.model, args=arguments, train_dataset=samples)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.fixture(scope="module")
def largest_difference():
    """Return the largest relative difference of two lists of losses."""

    def compute(ours, theirs):
        assert len(ours) == len(theirs) == STEPS
        return max(abs(a - b) / b for a, b in zip(ours, theirs))

    return compute


def test_same_losses_and_it_would_notice_another_learning_rate(
    make_config, make_tiny_task, tmp_path, largest_difference
):
    # a norm of 0.5 is exceeded in every one of these steps, so clipping is at work
    config = make_config(max_steps=STEPS, per_device_train_batch_size=4, learning_rate=3e-3, max_grad_norm=0.5)
    theirs = trainer_losses(make_tiny_task(config), config, tmp_path)
    torch.manual_seed(0)
    ours = train(make_tiny_task(config), config)
    assert sum(record["grad_norm"] > 0.5 for record in ours.records) > STEPS // 2
    assert largest_difference([record["loss"] for record in ours.records], theirs) < 1e-4

    off = make_config(**{**vars(config), "learning_rate": config.learning_rate * 1.01})
    losses = [record["loss"] for record in train(make_tiny_task(off), off).records]
    assert largest_difference(losses, theirs) > 1e-4
