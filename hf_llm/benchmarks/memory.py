"""GPT-2 large on a CPU: peak memory, seconds a step and loss of both presets, beside what a user would pick instead.

Each contestant trains the same new GPT-2 large for 20 steps of 256 tokens of The Verdict, in a process of its own, one
after the other; its peak is that of the whole process above what it held after its imports. On two cores half an hour,
and 16 GB of free memory for those with AdamW.
"""

import dataclasses
import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

from hf_llm.benchmarks.fresh_process import in_fresh_process
from hf_llm.benchmarks.peak_memory import peak_bytes, require_peak, start_peak
from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.benchmarks.trainer import run_trainer
from hf_llm.config import UserError
from hf_llm.planning.table import size
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train

WORK = {
    "corpus": "the-verdict", "tokenizer": "gpt2-tokenizer", "n_positions": 256, "total_batch_size": 1,
    "per_device_train_batch_size": 1, "max_steps": 20, "eval_steps": 10**6, "eval_tokens": 64, "sample_tokens": 1,
    "eval_stride": None, "logging_steps": 1,
}  # fmt: skip
PRESETS = {"ours, gpt2/large": "gpt2/large", "ours, gpt2/large-adafactor": "gpt2/large-adafactor"}
TRAINERS = {
    "Trainer bf16, gradient checkpointing, AdamW": "adamw_torch_fused",
    "Trainer bf16, gradient checkpointing, Adafactor": "adafactor",
}


def run(output_dir: Path) -> None:
    """Measure every contestant and write result.json.

    Raises:
        UserError: Where there is no /proc to read the peak from.
    """
    require_peak()
    rows = []
    for name in [*PRESETS, *TRAINERS]:
        rows.append(contestant(name, WORK))
        print(describe(rows[-1]), flush=True)
    write_result(output_dir, work=WORK, model="GPT-2 large", rows=rows)


def contestant(name: str, work: dict) -> dict:
    """Return the figures of one contestant, or with what error it ended; `work` changes its settings."""
    try:
        return {"contestant": name, **in_fresh_process(__name__, name, json.dumps(work))}
    except UserError as error:
        return {"contestant": name, "error": str(error)}


def main() -> None:
    """Train as one contestant in this process; print one line of JSON."""
    before = start_peak()
    name, work = sys.argv[1], json.loads(sys.argv[2])
    losses, seconds = ours(PRESETS[name], work) if name in PRESETS else trainer(TRAINERS[name], work)
    figures = {
        "peak_bytes": peak_bytes() - before,
        "first_loss": round(losses[0], 3),
        "last_loss": round(losses[-1], 3),
        "timings": {
            "step_seconds": round(median(seconds), 2),
            "fastest": round(min(seconds), 2),
            "load_average": round(os.getloadavg()[0], 1),  # more than the cores: others were at work too
        },
    }
    print(json.dumps(figures))


def ours(preset: str, work: dict) -> tuple[list[float], list[float]]:
    """Return the losses of all steps, and the seconds of each but the first and the last, behind which it evaluates."""
    config, ends = recipe(PretrainConfig, preset, **work), []
    processes = start_processes(config.threads)
    task = make_task(config, *read_inputs(config))
    result = train(task, config, on_record=lambda _: ends.append(time.perf_counter()), processes=processes)
    return [record["loss"] for record in result.records], _between(ends[:-1])


def trainer(optim: str, work: dict) -> tuple[list[float], list[float]]:
    """Return the same of transformers' Trainer, with its own optimizer, clipping and checkpointing."""
    config = recipe(PretrainConfig, "gpt2/large", **work)
    start_processes(config.threads)
    task = make_task(dataclasses.replace(config, gradient_checkpointing=False), *read_inputs(config))
    ends, losses = run_trainer(task, config, optim=optim, bf16=True, gradient_checkpointing=True, logging_steps=1)
    return losses, _between(ends[:-1])


def _between(ends: list[float]) -> list[float]:
    return [end - begin for begin, end in pairwise(ends)]


def describe(row: dict) -> str:
    """Return one row for people."""
    if "error" in row:
        return f"{row['contestant']:<48} failed: {row['error']}"
    times = row["timings"]
    return (
        f"{row['contestant']:<48} {size(row['peak_bytes'])} ({row['peak_bytes'] / 2**30:.2f} GiB); a step "
        f"{times['step_seconds']:.3g} s; loss {row['first_loss']:.2f} to {row['last_loss']:.2f}"
    )
