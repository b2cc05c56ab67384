"""Tiny Shakespeare by nanoGPT's CPU recipe, judged by nanoGPT's own estimate and by bits per byte."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from hf_llm.benchmarks.record import write_result
from hf_llm.benchmarks.verdict import mean_with_interval
from hf_llm.config import load_yaml
from hf_llm.evaluation.random_blocks import random_block_loss
from hf_llm.recipes.pretrain import make_task, pretrain, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.state import load_weights

RECIPE = Path(__file__).parents[2] / "configs" / "gpt2" / "shakespeare.yaml"
SEEDS = (0, 1, 2)
NANOGPT_LEARNING_RATE = 1e-3
EVAL_ITERS = (200, 20)  # nanoGPT's default, and what its CPU recipe takes instead, which is noisier


def run(output_dir: Path) -> None:
    """Train with our learning rate and with nanoGPT's own, three seeds each; twenty minutes on one core."""
    recipe = PretrainConfig(**load_yaml(PretrainConfig, RECIPE))
    rates = {}
    for rate in (recipe.learning_rate, NANOGPT_LEARNING_RATE):
        runs = [trained(dataclasses.replace(recipe, learning_rate=rate, seed=seed)) for seed in SEEDS]
        rates[f"{rate:g}"] = {
            **{
                name: mean_with_interval([row[name] for row in runs])
                for name in (*(estimate_name(iters) for iters in EVAL_ITERS), "bits_per_byte_last")
            },
            "runs": runs,
        }
    write_result(
        output_dir,
        {
            "config": dataclasses.asdict(recipe),
            "published": {"validation_loss": 1.88, "eval_iters": 20, "source": "karpathy/nanoGPT, README.md"},
            "learning_rates": rates,
        },
    )


def estimate_name(eval_iters: int) -> str:
    return f"validation_loss_nanogpt_{eval_iters}_batches"


def trained(config: PretrainConfig) -> dict:
    """Return the figures of the last weights, which are what nanoGPT reports."""
    with tempfile.TemporaryDirectory() as scratch:
        config = dataclasses.replace(config, output_dir=f"{scratch}/seed-{config.seed}")
        manifest = pretrain(config)
        newest = Path(config.output_dir) / "checkpoints" / f"step-{config.max_steps:06d}"
        task = make_task(config, *read_inputs(config))
        load_weights(task.model, load_file(newest / "model.safetensors"))
    tokens = np.asarray(task.validation)
    return {
        "seed": config.seed,
        **{
            estimate_name(iters): random_block_loss(
                task.model, tokens, context=task.context, batch_size=12, eval_iters=iters, seed=config.seed
            )
            for iters in EVAL_ITERS
        },
        "bits_per_byte_last": manifest["metrics"]["validation_last"]["bits_per_byte"],
        "parameters": manifest["model"]["parameters"],
        "timings": {
            "wall_seconds": manifest["wall_seconds"],
            "tokens_per_second": manifest["tokens_per_second"],
        },
    }
