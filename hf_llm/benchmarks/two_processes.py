"""Tokens a second of two processes of one thread against one process of two: the same global batch, in turn.

GPT-2 small, micro-batches of 4 windows of 256 tokens, 32 windows a step: two processes add up 4 micro-batches each and
exchange their gradients once, one process adds up 8. Both are `hf_llm pretrain` as a user starts it.
"""

import json
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from hf_llm.benchmarks.fresh_process import run_to_end
from hf_llm.benchmarks.record import in_turn, write_result
from hf_llm.config import python, shipped
from hf_llm.training.precision import bf16_is_slow

ROUNDS, STEPS = 3, 2  # the first step of each run is not counted
WORK = {
    "corpus": "tiny-shakespeare", "tokenizer": "gpt2-tokenizer", "model": "small", "n_positions": 256,
    "attention": "eager", "dropout": 0.0, "total_batch_size": 32, "per_device_train_batch_size": 4, "max_steps": STEPS,
    "warmup_steps": 1, "logging_steps": 1, "eval_steps": 1000, "save_steps": 1000, "eval_tokens": 64,
    "eval_stride": 256, "validation_fraction": 0.003, "sample_tokens": 1,
}  # fmt: skip
WAYS = {"bf16": ("--precision", "bf16"), "bf16, compiled": ("--precision", "bf16", "--compile")}
WITHOUT_BF16 = {"fp32": ("--precision", "fp32")}


def run(output_dir: Path) -> None:
    """Train in turn in each way that the processor has, and write result.json; half an hour on two cores."""
    ways = WITHOUT_BF16 if bf16_is_slow("cpu") else WAYS
    write_result(output_dir, work=WORK, rounds=ROUNDS, **{name: contest(way) for name, way in ways.items()})


def contest(way: tuple[str, ...]) -> dict:
    """Return the median tokens a second of one and of two processes, their ratio by round, and both lists of losses."""
    runs = in_turn({number: lambda number=number: _trained(number, way) for number in (1, 2)}, ROUNDS)
    ratios = [two["tokens_per_second"] / one["tokens_per_second"] for one, two in zip(runs[1], runs[2])]
    speeds = {number: median(one["tokens_per_second"] for one in found) for number, found in runs.items()}
    return {
        "tokens_per_second": speeds,
        "two_over_one": {"median": round(median(ratios), 3), "by_round": [round(ratio, 3) for ratio in ratios]},
        "losses": {number: found[0]["losses"] for number, found in runs.items()},
    }


def _trained(processes: int, way: tuple[str, ...]) -> dict:
    settings = [word for name, value in WORK.items() for word in (f"--{name}", str(value))]
    with TemporaryDirectory() as folder:
        command = ["hf_llm", "pretrain", *settings, *way, "--output_dir", folder]
        if processes == 1:
            command = python("-m", *command)
        else:
            config = shipped("configs") / "accelerate" / f"cpu-{processes}.yaml"
            command = python("-m", "accelerate.commands.launch", "--config_file", str(config), "--module", *command)
        run_to_end(command)
        records = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text("utf-8").splitlines()]
    steps = [record for record in records if "tokens_per_second" in record]
    return {
        "tokens_per_second": median(record["tokens_per_second"] for record in steps[1:]),
        "losses": [record["loss"] for record in steps],
    }
