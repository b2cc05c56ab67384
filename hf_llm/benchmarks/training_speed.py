"""Tokens per second of training: our loop, transformers.Trainer in each of its ways, and a minimal PyTorch loop.

All train the same `GPT2LMHeadModel` on the same windows with AdamW, in turn, so that a busy minute of the machine hits
all of them: the recipes of Tiny Shakespeare and The Verdict on one thread, and GPT-2 small on all, without dropout and
with it. Ours has one process and they have another, since ours keeps the memory that a step frees. Trainer computes
attention as transformers does unasked (sdpa) and, once more, as our settings say (eager); its best is the better one.
nanoGPT takes part with its own model where a checkout of it is named (nanogpt.py).
The bare loop has no logging, no clipping and no checks: what it is faster by is what the others cost.
"""

import dataclasses
import logging
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from accelerate.utils import patch_environment

from hf_llm.benchmarks.figure import draw_speeds
from hf_llm.benchmarks.nanogpt import CHECKOUT, checkout, run_nanogpt
from hf_llm.benchmarks.record import in_turn, ratios, recipe, speeds, write_result
from hf_llm.benchmarks.trainer import run_trainer
from hf_llm.planning.matmul_probe import machine_speed
from hf_llm.planning.speed import flops_per_token
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes, usable_cores
from hf_llm.training.loop import train
from hf_llm.training.optimizer import make_optimizer

logger = logging.getLogger(__name__)

ROUNDS = 7
UNTIMED = 2  # steps at the beginning of each training: what is compiled, and the first pages of memory
SMALL = {  # GPT-2 small on a text that needs no preparation
    "corpus": "tiny-shakespeare", "tokenizer": "gpt2-tokenizer", "model": "small", "n_positions": 256,
    "attention": "eager", "total_batch_size": 4, "per_device_train_batch_size": 4,
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
    "Trainer bf16, compiled, eager": {"bf16": True, "torch_compile": True, "attention": "eager"},
}
NANOGPT = {
    "nanoGPT fp32": {"precision": "fp32"},
    "nanoGPT bf16, compiled": {"precision": "bf16", "compile": True},
}
BARE = "bare loop, fp32"


def run(output_dir: Path) -> None:
    """Time all of them on the four works in turn and write result.json; an hour on two cores."""
    shakespeare, verdict = (
        recipe(PretrainConfig, f"gpt2/{name}", max_steps=40 + UNTIMED, **QUIET) for name in ("shakespeare", "verdict")
    )
    small = PretrainConfig(max_steps=3 + UNTIMED, dropout=0.0, **SMALL, **QUIET)
    with_dropout = dataclasses.replace(small, dropout=0.1)
    slow = ("ours fp32", "nanoGPT fp32", BARE)  # 6 s a step of GPT-2 small, and the other works have them
    results = {
        "shakespeare": contest(shakespeare),
        "verdict": contest(verdict),
        "small": contest(small, without=slow),
        "small, dropout 0.1": contest(with_dropout, without=slow),
    }
    write_result(output_dir, **results)
    draw_speeds(output_dir / "speed.png", {name: result["timings"] for name, result in results.items()}, OURS)


def contest(config: PretrainConfig, without: tuple[str, ...] = ()) -> dict:
    """Return each contestant's tokens per second, ours over theirs round by round, shares of peak, and first steps.

    Args:
        config: What is trained.
        without: Contestants that are left out.
    """
    with (
        tempfile.TemporaryDirectory() as cache,  # so that the first step of each is one that compiles
        patch_environment(TORCHINDUCTOR_CACHE_DIR=cache),
        ProcessPoolExecutor(1, get_context("spawn")) as ours,
        ProcessPoolExecutor(1, get_context("spawn")) as theirs,
    ):
        loops = {name: partial(ours.submit, _timed, _ours, config, more) for name, more in OURS.items()}
        loops |= {name: partial(theirs.submit, _timed, _trainer, config, more) for name, more in TRAINERS.items()}
        if checkout():
            loops |= {name: partial(theirs.submit, _timed, run_nanogpt, config, more) for name, more in NANOGPT.items()}
        else:
            logger.warning("nanoGPT is left out: %s names no checkout of it", CHECKOUT)
        loops |= {BARE: partial(theirs.submit, _timed, _bare, config, {})}
        loops = {name: loop for name, loop in loops.items() if name not in without}
        first_steps = {name: round(loop().result()[0], 1) for name, loop in loops.items()}
        times = in_turn({name: lambda loop=loop: loop().result()[1] for name, loop in loops.items()}, ROUNDS)
    threads = config.threads or usable_cores()
    machine = {precision: machine_speed(precision, threads) for precision in ("fp32", "bf16")}
    tokens, (_, shape) = config.total_batch_size * config.context, read_inputs(config)
    shares = {
        name: flops_per_token(shape) * tokens / median(taken) / machine["bf16" if "bf16" in name else "fp32"].flops
        for name, taken in times.items()
    }
    return {
        "config": dataclasses.asdict(config),
        "threads": threads,
        "machine": {
            **{f"{precision}_flops": speed.flops for precision, speed in machine.items()},
            "copied_bytes_per_second": machine["fp32"].copy,
        },
        "timings": speeds(times, tokens),
        "share_of_peak": {name: round(share, 3) for name, share in shares.items()},
        "ours_over_theirs": ratios(times, [name for name in OURS if name in times]),
        "first_step_seconds": first_steps,
    }


def _timed(loop: Callable, config: PretrainConfig, more: dict) -> tuple[float, float]:
    """Return the seconds until the first step is done, and the median of the later ones; in this process."""
    start_processes(config.threads)
    task = make_task(config, *read_inputs(config))
    began = time.perf_counter()
    ends = loop(task, config, **more)
    return ends[0] - began, median(end - begin for begin, end in zip(ends[UNTIMED - 1 :], ends[UNTIMED:]))


def _ours(task: CausalLM, config: PretrainConfig, **more) -> list[float]:
    """Train and return when each step ended."""
    ends = []
    settings = dataclasses.replace(config, logging_steps=1, max_steps=config.max_steps + 1, **more)
    train(task, settings, on_record=lambda _: ends.append(time.perf_counter()))
    return ends[:-1]  # before the last one is recorded, the model is evaluated


def _bare(task: CausalLM, config: PretrainConfig) -> list[float]:
    optimizer, ends = make_optimizer(task.model, config), []
    for step in range(config.max_steps):
        task.loss(task.model, batch := task.batch(step, 0, 0), task.items(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
        ends.append(time.perf_counter())
    return ends


def _trainer(task: CausalLM, config: PretrainConfig, attention: str = "sdpa", **more) -> list[float]:
    task.model.set_attn_implementation(attention)
    return run_trainer(task, config, logging_steps=10, **more)[0]
