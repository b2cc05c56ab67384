"""Accumulated micro-batches are the big batch."""

import torch

from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.loop import train


class RaggedCausalLM(CausalLM):
    """Padding of different length in every micro-batch: a mean of means would be wrong here."""

    def batch(self, step, micro_step, rank):
        batch = super().batch(step, micro_step, rank)
        starts = self.plan.indices(step, micro_step, rank)
        for row, start in enumerate(starts):
            batch["shift_labels"][row, 1 + int(start) % 15 :] = -100
        return batch

    def items(self, batch):
        return int((batch["shift_labels"] != -100).sum())


def run(make_config, make_tiny_task, micro_batch, double=False, task_class=CausalLM):
    config = make_config(per_device_train_batch_size=micro_batch)
    task = make_tiny_task(config)
    task.__class__ = task_class
    if double:
        task.model.double()
    result = train(task, config)
    return [record["loss"] for record in result.records], torch.cat([p.flatten() for p in task.model.parameters()])


def test_losses_equal_the_big_batch(make_config, make_tiny_task):
    big, _ = run(make_config, make_tiny_task, 8)
    accumulated, _ = run(make_config, make_tiny_task, 2)
    assert len(big) == 20
    for one, other in zip(big, accumulated):
        assert abs(one - other) <= 1e-6 * one


def test_weights_equal_the_big_batch_in_float64(make_config, make_tiny_task):
    _, big = run(make_config, make_tiny_task, 8, double=True)
    _, accumulated = run(make_config, make_tiny_task, 2, double=True)
    assert (big - accumulated).norm() <= 1e-9 * big.norm()


def test_holds_for_micro_batches_of_different_length(make_config, make_tiny_task):
    big, _ = run(make_config, make_tiny_task, 8, task_class=RaggedCausalLM)
    accumulated, _ = run(make_config, make_tiny_task, 2, task_class=RaggedCausalLM)
    for one, other in zip(big, accumulated):
        assert abs(one - other) <= 1e-6 * one
