"""Tiny Shakespeare by nanoGPT's CPU recipe, judged by nanoGPT's own estimate and by bits per byte."""

import dataclasses
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.benchmarks.verdict import mean_with_interval
from hf_llm.evaluation.random_blocks import random_block_loss
from hf_llm.recipes.pretrain import make_task, pretrain, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.state import load_weights

SEEDS = (0, 1, 2)
NANOGPT_LEARNING_RATE = 1e-3
# batches of an estimate: nanoGPT's default, and what its CPU recipe takes instead, which is noisier
ESTIMATES = {f"validation_loss_nanogpt_{iters}_batches": iters for iters in (200, 20)}


def run(output_dir: Path) -> None:
    """Train with our learning rate and with nanoGPT's own, three seeds each; twenty minutes on one core."""
    config, rates = recipe(PretrainConfig, "gpt2/shakespeare"), {}
    for rate in (config.learning_rate, NANOGPT_LEARNING_RATE):
        runs = [trained(dataclasses.replace(config, learning_rate=rate, seed=seed)) for seed in SEEDS]
        figures = (*ESTIMATES, "bits_per_byte_last")
        means = {name: mean_with_interval([row[name] for row in runs]) for name in figures}
        rates[f"{rate:g}"] = {**means, "runs": runs}
    published = {"validation_loss": 1.88, "eval_iters": 20, "source": "karpathy/nanoGPT, README.md"}
    write_result(output_dir, config=dataclasses.asdict(config), published=published, learning_rates=rates)


def trained(config: PretrainConfig) -> dict:
    """Return the figures of the last weights, which are what nanoGPT reports."""
    with tempfile.TemporaryDirectory() as scratch:
        config = dataclasses.replace(config, output_dir=f"{scratch}/seed-{config.seed}")
        manifest = pretrain(config)
        newest = Path(config.output_dir) / "checkpoints" / f"step-{config.max_steps:06d}"
        task = make_task(config, *read_inputs(config))
        load_weights(task.model, load_file(newest / "model.safetensors"))
    estimate = partial(
        random_block_loss,
        task.model,
        np.concatenate(task.validation.shards),
        task.context,
        batch_size=12,
        seed=config.seed,
    )
    return {
        "seed": config.seed,
        **{name: estimate(eval_iters=iters) for name, iters in ESTIMATES.items()},
        "bits_per_byte_last": manifest["metrics"]["validation_last"]["bits_per_byte"],
        "parameters": manifest["model"]["parameters"],
        "timings": {name: manifest[name] for name in ("wall_seconds", "tokens_per_second")},
    }
