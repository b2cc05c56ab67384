"""Tokens per second on nanoGPT's Shakespeare recipe: our loop, transformers.Trainer, and a minimal PyTorch loop.

All three train the same `GPT2LMHeadModel` on the same windows with fused AdamW, in turn, so that a busy minute of the
machine hits all of them. The bare loop has no logging, no clipping schedule and no checks: what it is faster by is what
the others cost.
"""

import dataclasses
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments

from hf_llm.benchmarks.record import in_turn, recipe, seconds, write_result
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.optimizer import make_optimizer

STEPS, ROUNDS = 100, 5


def run(output_dir: Path) -> None:
    """Time each of the three in turn and write result.json; three minutes on two cores."""
    config = recipe(
        PretrainConfig, "gpt2/shakespeare",
        max_steps=STEPS, warmup_steps=10, eval_steps=10 * STEPS, eval_tokens=64, sample_tokens=1,
    )  # fmt: skip
    start_processes(config.threads)
    inputs = read_inputs(config)
    tokens = STEPS * config.total_batch_size * config.context
    loops = {"ours": _ours, "trainer": _trainer, "bare": _bare}
    times = in_turn(
        {name: lambda loop=loop: loop(make_task(config, *inputs), config) for name, loop in loops.items()}, ROUNDS
    )
    figures = {"tokens_per_second": median, "slowest": max, "fastest": min}
    speeds = {name: {key: round(tokens / of(taken)) for key, of in figures.items()} for name, taken in times.items()}
    write_result(output_dir, config=dataclasses.asdict(config), threads=torch.get_num_threads(), timings=speeds)


def _ours(task, config) -> float:
    return seconds(lambda: train(task, config))


def _bare(task, config) -> float:
    optimizer = make_optimizer(task.model, config)
    start = time.perf_counter()
    for step in range(STEPS):
        task.loss(task.model, batch := task.batch(step, 0, 0), task.items(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - start


class _InOrder(Trainer):
    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(self.train_dataset)


def _trainer(task, config) -> float:
    batches = [task.batch(step, 0, 0) for step in range(STEPS)]
    samples = [{name: tensor[row] for name, tensor in batch.items()} for batch in batches for row in range(12)]
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, max_steps=STEPS, per_device_train_batch_size=12, learning_rate=config.learning_rate,
            weight_decay=config.weight_decay, optim="adamw_torch_fused", lr_scheduler_type="cosine", logging_steps=10,
            save_strategy="no", report_to="none", remove_unused_columns=False, disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        trainer = _InOrder(model=task.model, args=arguments, train_dataset=samples)
        return seconds(trainer.train)
