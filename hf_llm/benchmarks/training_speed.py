"""Tokens per second of training: our loop, transformers.Trainer in each of its ways, and a minimal PyTorch loop.

All train the same `GPT2LMHeadModel` on the same windows with AdamW, in turn, so that a busy minute of the machine hits
all of them: nanoGPT's Shakespeare recipe on one thread, and GPT-2 small on all, without dropout and with it. The bare
loop has no logging, no clipping and no checks: what it is faster by is what the others cost.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from hf_llm.benchmarks.record import in_turn, ratios, recipe, speeds, write_result
from hf_llm.planning.matmul_probe import machine_speed
from hf_llm.planning.speed import flops_per_token
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.optimizer import make_optimizer

ROUNDS = 7
UNTIMED = 2  # steps at the beginning of each training: what is compiled, and the first pages of memory
SMALL = {  # GPT-2 small on a text that needs no preparation
    "corpus": "tiny-shakespeare", "tokenizer": "gpt2-tokenizer", "model": "small", "n_positions": 256,
    "total_batch_size": 4, "per_device_train_batch_size": 4,
}  # fmt: skip
QUIET = {"eval_steps": 10**6, "eval_tokens": 64, "sample_tokens": 1, "warmup_steps": 1}
OURS = {
    "ours fp32": {"precision": "fp32"},
    "ours bf16": {"precision": "bf16"},
    "ours bf16, compiled": {"precision": "bf16", "compile": True},
}
TRAINERS = {
    "Trainer, its default": {},
    "Trainer bf16": {"bf16": True},
    "Trainer bf16, compiled": {"bf16": True, "torch_compile": True},
}


def run(output_dir: Path) -> None:
    """Time all of them on all three works in turn and write result.json; an hour on two cores."""
    shakespeare = recipe(PretrainConfig, "gpt2/shakespeare", max_steps=100 + UNTIMED, **QUIET)
    small = PretrainConfig(max_steps=3 + UNTIMED, dropout=0.0, **SMALL, **QUIET)
    with_dropout = dataclasses.replace(small, dropout=0.1)
    works = {"shakespeare": shakespeare, "small": small, "small, dropout 0.1": with_dropout}
    write_result(
        output_dir,
        configs={name: dataclasses.asdict(config) for name, config in works.items()},
        **{name: contest(config) for name, config in works.items()},
    )


def contest(config: PretrainConfig) -> dict:
    """Return each contestant's tokens per second, the ratio of ours to theirs round by round, and the share of peak."""
    start_processes(config.threads)
    inputs = read_inputs(config)
    loops: dict[str, Callable] = {name: partial(_ours, **more) for name, more in OURS.items()}
    loops |= {name: partial(_trainer, **more) for name, more in TRAINERS.items()} | {"bare loop, fp32": _bare}

    def one(loop: Callable) -> float:
        with tempfile.TemporaryDirectory() as scratch:
            return loop(make_task(config, *inputs), config, scratch)

    for loop in loops.values():
        one(loop)  # compiles: what it needs for that lies on the disk afterwards
    times = in_turn({name: partial(one, loop) for name, loop in loops.items()}, ROUNDS)
    tokens = config.total_batch_size * config.context
    peaks = {name: machine_speed(name, torch.get_num_threads()).flops for name in ("fp32", "bf16")}
    shares = {
        name: flops_per_token(inputs[1]) * tokens / median(taken) / peaks["bf16" if "bf16" in name else "fp32"]
        for name, taken in times.items()
    }
    return {
        "threads": torch.get_num_threads(),
        "peak_flops": peaks,
        "timings": speeds(times, tokens),
        "share_of_peak": {name: round(share, 3) for name, share in shares.items()},
        "ours_over_theirs": ratios(times, OURS),
    }


def _ours(task, config, scratch: str, **more) -> float:
    """Return the median seconds of a step."""
    ends = []
    settings = dataclasses.replace(config, logging_steps=1, max_steps=config.max_steps + 1, **more)
    train(task, settings, on_record=lambda _: ends.append(time.perf_counter()))
    return _median_step(ends[:-1])  # before the last one is recorded, the model is evaluated


def _bare(task, config, scratch: str) -> float:
    optimizer, ends = make_optimizer(task.model, config), []
    for step in range(config.max_steps):
        task.loss(task.model, batch := task.batch(step, 0, 0), task.items(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
        ends.append(time.perf_counter())
    return _median_step(ends)


def _median_step(ends: list[float]) -> float:
    return median(end - begin for begin, end in zip(ends[UNTIMED - 1 :], ends[UNTIMED:]))


class _InOrder(Trainer):
    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(self.train_dataset)


class _Clock(TrainerCallback):
    def __init__(self):
        self.ends = []

    def on_step_end(self, *_, **__):
        self.ends.append(time.perf_counter())


def _trainer(task, config, scratch: str, **more) -> float:
    batches, size = [task.batch(step, 0, 0) for step in range(config.max_steps)], config.total_batch_size
    samples = [{name: tensor[row] for name, tensor in batch.items()} for batch in batches for row in range(size)]
    arguments = TrainingArguments(
        output_dir=scratch, max_steps=config.max_steps, per_device_train_batch_size=size, use_cpu=True,
        learning_rate=config.learning_rate, weight_decay=config.weight_decay, logging_steps=10, save_strategy="no",
        report_to="none", remove_unused_columns=False, disable_tqdm=True, **more,
    )  # fmt: skip
    clock = _Clock()
    _InOrder(model=task.model, args=arguments, train_dataset=samples, callbacks=[clock]).train()
    return _median_step(clock.ends)
