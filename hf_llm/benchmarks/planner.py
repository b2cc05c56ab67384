"""The planner against the machine: predicted and measured peak memory and step time of real trainings.

Each case is a fresh process that imports, plans, and trains a few steps by `train()`; its peak is that of the whole
process (VmHWM), above what it held after its imports. Ten to twenty minutes on two cores, and 16 GB for GPT-2 large.
Where bf16 is slow, the cases in bf16, and GPT-2 large with them, are left out.
"""

import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from hf_llm.benchmarks.fresh_process import in_fresh_process
from hf_llm.benchmarks.peak_memory import peak_bytes, require_peak, start_peak
from hf_llm.benchmarks.record import write_result
from hf_llm.models.gpt2 import gpt2_config
from hf_llm.planning.plan import make_plan
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.precision import bf16_is_slow

GPT2_VOCABULARY = 50257
TOLERANCE, SMALL_RUN, SMALL_TOLERANCE = 0.15, 200e6, 60e6  # share; below so many bytes, bytes

COMMON = {"corpus": "sample", "vocab_size": 1000, "warmup_steps": 0, "eval_tokens": 600, "sample_tokens": 4, "seed": 0}
PUBLISHED = {**COMMON, "n_positions": 256, "max_steps": 4, "precision": "fp32"}
LAPTOP = {**COMMON, "max_steps": 8, "precision": "fp32"}
ADAFACTOR = {"optimizer": "adafactor", "learning_rate": 0.01, "optimizer_in_bwd": True, "max_grad_norm": 0}


def _case(base: dict, model: str, batch: int, **settings) -> dict:
    return {**base, "model": model, "total_batch_size": batch, "per_device_train_batch_size": batch, **settings}


CASES = (
    _case(LAPTOP, "nano", 16, n_positions=64),
    _case(LAPTOP, "micro", 16, n_positions=64, attention="eager"),  # The Verdict's shape
    _case(LAPTOP, "micro", 16, n_positions=128),
    _case(LAPTOP, "micro", 16, n_positions=128, precision="bf16"),
    _case(LAPTOP, "micro", 16, n_positions=128, gradient_checkpointing=True),
    _case(LAPTOP, "mini", 16, n_positions=128),
    _case(LAPTOP, "mini", 16, n_positions=256),
    _case(PUBLISHED, "small", 4),
    _case(PUBLISHED, "small", 4, gradient_checkpointing=True),
    _case(PUBLISHED, "small", 4, precision="bf16"),
    _case(PUBLISHED, "medium", 2),
    _case(PUBLISHED, "medium", 2, gradient_checkpointing=True),
    _case(PUBLISHED, "medium", 2, gradient_checkpointing=True, **ADAFACTOR),
    _case(PUBLISHED, "large", 1, gradient_checkpointing=True, precision="bf16", max_steps=2),
    _case(PUBLISHED, "large", 1, gradient_checkpointing=True, precision="bf16", max_steps=2, **ADAFACTOR),
)


def run(output_dir: Path) -> None:
    """Measure every case and write result.json.

    Raises:
        UserError: Where there is no /proc to read the peak from.
    """
    require_peak()
    slow = bf16_is_slow("cpu")
    cases = [case for case in CASES if not (slow and case["precision"] == "bf16")]
    rows = [in_fresh_process(__name__, json.dumps(case)) for case in tqdm(cases, unit="case", disable=None)]
    for row in rows:
        print(describe(row))
    compared = [row for row in rows if "measured_bytes" in row]
    write_result(
        output_dir, seed=COMMON["seed"], all_within_tolerance=all(row["within_tolerance"] for row in compared),
        left_out=len(CASES) - len(compared), rows=rows,
    )  # fmt: skip


def main() -> None:
    """Plan and train one case in this process; print one line of JSON."""
    imported = start_peak()
    case = json.loads(sys.argv[1])
    config = PretrainConfig(**case)
    processes = start_processes(config.threads)
    corpus, model_config = read_inputs(config)
    if config.model in ("small", "medium", "large", "xl"):  # their own vocabulary: most of the logits' memory
        model_config = gpt2_config(config.model, GPT2_VOCABULARY, config.n_positions, dropout=config.dropout)
    plan = make_plan(config, model_config, corpus, processes)
    row = {"case": case, "predicted_bytes": plan.peak_memory_bytes}
    if plan.fits():
        predicted_seconds = plan.step_seconds
        result = train(make_task(config, corpus, model_config), config)
        measured = peak_bytes() - imported
        allowed = SMALL_TOLERANCE if measured < SMALL_RUN else TOLERANCE * measured
        row |= {
            "measured_bytes": measured,
            "ratio": round(plan.peak_memory_bytes / measured, 3),
            "within_tolerance": abs(plan.peak_memory_bytes - measured) <= allowed,
            "timings": {
                "predicted_step_seconds": predicted_seconds,
                "measured_step_seconds": result.step_seconds,
                "load_average": round(os.getloadavg()[0], 1),  # more than the cores: others were at work too
            },
        }
    print(json.dumps(row))


def describe(row: dict) -> str:
    """Return one row for people."""
    case = row["case"]
    more = " + checkpointing" if case.get("gradient_checkpointing") else ""
    more += " + optimizer_in_bwd" if case.get("optimizer_in_bwd") else ""
    name = f"{case['model']} {case['total_batch_size']} x {case['n_positions']} {case['precision']}{more}"
    if "measured_bytes" not in row:
        return f"{name:<55} needs {row['predicted_bytes'] / 1e6:,.0f} MB, which are not free: left out"
    times, verdict = row["timings"], "" if row["within_tolerance"] else ", outside the tolerance"
    return (
        f"{name:<55} predicted {row['predicted_bytes'] / 1e6:>7,.0f} MB, "
        f"measured {row['measured_bytes'] / 1e6:>7,.0f} MB ({row['ratio']:.2f}{verdict}); "
        f"a step: {times['predicted_step_seconds']:.3g} s, {times['measured_step_seconds']:.3g} s"
    )
