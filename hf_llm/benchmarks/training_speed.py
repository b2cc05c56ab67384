"""Tokens per second of training: our loop, transformers.Trainer in each of its ways, and a minimal PyTorch loop.

All train the same `GPT2LMHeadModel` on the same windows with AdamW, in turn, so that a busy minute of the machine hits
all of them: the recipes of Tiny Shakespeare and The Verdict on one thread, and GPT-2 small on all, without dropout and
with it. Ours has one process and they have another, since ours keeps the memory that a step frees. Trainer computes
attention as transformers does unasked (sdpa) and, once more, as our settings say (eager); its best is the better one.
nanoGPT takes part with its own model where a checkout of it is named (nanogpt.py). Where bf16 is slow, all take fp32,
and GPT-2 small, of which a step takes ten seconds there, is left out.
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
from hf_llm.training.precision import bf16_is_slow

logger = logging.getLogger(__name__)

ROUNDS = 7
UNTIMED = 2  # steps at the beginning of each training: what is compiled, and the first pages of memory
SMALL = {  # GPT-2 small on a text that needs no preparation
    "corpus": "tiny-shakespeare", "tokenizer": "gpt2-tokenizer", "model": "small", "n_positions": 256,
    "attention": "eager", "total_batch_size": 4, "per_device_train_batch_size": 4,
}  # fmt: skip
QUIET = {"eval_steps": 10**6, "eval_tokens": 64, "sample_tokens": 1, "warmup_steps": 1}
BARE = "bare loop, fp32"


def ours_of(precision: str) -> dict[str, dict]:
    """Return {name: settings} of ours in fp32 and in `precision`."""
    return {
        "ours fp32": {"precision": "fp32"},
        f"ours {precision}": {"precision": precision},
        f"ours {precision}, compiled": {"precision": precision, "compile": True},
    }


def trainers_of(precision: str) -> dict[str, dict]:
    """Return {name: arguments} of Trainer by default and in `precision`."""
    mixed = {"bf16": True} if precision == "bf16" else {}
    return {
        "Trainer, its default": {},
        **({f"Trainer {precision}": mixed} if mixed else {}),
        f"Trainer {precision}, compiled": {**mixed, "torch_compile": True},
        f"Trainer {precision}, compiled, eager": {**mixed, "torch_compile": True, "attention": "eager"},
    }


def nanogpts_of(precision: str) -> dict[str, dict]:
    """Return {name: settings} of nanoGPT in fp32 and in `precision`."""
    return {
        "nanoGPT fp32": {"precision": "fp32"},
        f"nanoGPT {precision}, compiled": {"precision": precision, "compile": True},
    }


def run(output_dir: Path) -> None:
    """Time all of them in turn on the works that the processor is fast enough for; an hour on two cores."""
    shakespeare, verdict = (
        recipe(PretrainConfig, f"gpt2/{name}", max_steps=40 + UNTIMED, **QUIET) for name in ("shakespeare", "verdict")
    )
    small = PretrainConfig(max_steps=3 + UNTIMED, dropout=0.0, **SMALL, **QUIET)
    with_dropout = dataclasses.replace(small, dropout=0.1)
    precision = "fp32" if bf16_is_slow("cpu") else "bf16"
    results = {"shakespeare": contest(shakespeare, precision), "verdict": contest(verdict, precision)}
    if precision == "bf16":
        slow = ("ours fp32", "nanoGPT fp32", BARE)  # 6 s a step of GPT-2 small, and the other works have them
        results |= {
            "small": contest(small, precision, without=slow),
            "small, dropout 0.1": contest(with_dropout, precision, without=slow),
        }
    write_result(output_dir, **results)
    draw_speeds(
        output_dir / "speed.png", {name: result["timings"] for name, result in results.items()}, ours_of(precision)
    )


def contest(config: PretrainConfig, precision: str, without: tuple[str, ...] = ()) -> dict:
    """Return each contestant's tokens per second, ours over theirs round by round, shares of peak, and first steps.

    Args:
        config: What is trained.
        precision: The fastest that the processor has.
        without: Contestants that are left out.
    """
    with (
        tempfile.TemporaryDirectory() as cache,  # so that the first step of each is one that compiles
        patch_environment(TORCHINDUCTOR_CACHE_DIR=cache),
        ProcessPoolExecutor(1, get_context("spawn")) as ours,
        ProcessPoolExecutor(1, get_context("spawn")) as theirs,
    ):

        def loops_of(process: ProcessPoolExecutor, loop: Callable, ways: dict[str, dict]) -> dict[str, Callable]:
            return {name: partial(process.submit, _timed, loop, config, more) for name, more in ways.items()}

        loops = loops_of(ours, _ours, ours_of(precision)) | loops_of(theirs, _trainer, trainers_of(precision))
        if checkout():
            loops |= loops_of(theirs, run_nanogpt, nanogpts_of(precision))
        else:
            logger.warning("nanoGPT is left out: %s names no checkout of it", CHECKOUT)
        loops |= loops_of(theirs, _bare, {BARE: {}})
        loops = {name: loop for name, loop in loops.items() if name not in without}
        first_steps = {name: round(loop().result()[0], 1) for name, loop in loops.items()}
        times = in_turn({name: lambda loop=loop: loop().result()[1] for name, loop in loops.items()}, ROUNDS)
    threads = config.threads or usable_cores()
    machine = {each: machine_speed(each, threads) for each in dict.fromkeys(["fp32", precision])}
    tokens, (_, shape) = config.total_batch_size * config.context, read_inputs(config)
    shares = {
        name: flops_per_token(shape) * tokens / median(taken) / machine["bf16" if "bf16" in name else "fp32"].flops
        for name, taken in times.items()
    }
    return {
        "config": dataclasses.asdict(config),
        "threads": threads,
        "machine": {
            **{f"{each}_flops": speed.flops for each, speed in machine.items()},
            "copied_bytes_per_second": machine["fp32"].copy,
        },
        "timings": speeds(times, tokens),
        "share_of_peak": {name: round(share, 3) for name, share in shares.items()},
        "ours_over_theirs": ratios(times, [name for name in ours_of(precision) if name in times]),
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
