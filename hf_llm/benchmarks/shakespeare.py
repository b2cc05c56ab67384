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
from hf_llm.training.checkpointing import load_weights
from hf_llm.training.config import PretrainConfig
from hf_llm.training.pretrain import make_task, pretrain, read_inputs

RECIPE = Path(__file__).parents[2] / "configs" / "gpt2" / "shakespeare.yaml"
SEEDS = (0, 1, 2)
EVAL_ITERS = 200  # nanoGPT's default; its CPU recipe takes 20, which is noisier


def run(output_dir: Path) -> None:
    """Train with each seed and write result.json; ten minutes on two cores."""
    recipe = PretrainConfig(**load_yaml(PretrainConfig, RECIPE))
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in SEEDS:
            config = dataclasses.replace(recipe, seed=seed, output_dir=f"{scratch}/seed-{seed}")
            manifest = pretrain(config)
            newest = Path(config.output_dir) / "checkpoints" / f"step-{config.max_steps:06d}"
            task = make_task(config, read_inputs(config))
            load_weights(task.model, load_file(newest / "model.safetensors"))  # the last weights, as nanoGPT reports
            tokens = np.asarray(task.validation)
            runs.append(
                {
                    "seed": seed,
                    "validation_loss_nanogpt": random_block_loss(
                        task.model, tokens, context=task.context, batch_size=12, eval_iters=EVAL_ITERS, seed=seed
                    ),
                    "bits_per_byte_last": manifest["metrics"]["validation_last"]["bits_per_byte"],
                    "parameters": manifest["model"]["parameters"],
                    "timings": {
                        "wall_seconds": manifest["wall_seconds"],
                        "tokens_per_second": manifest["tokens_per_second"],
                    },
                }
            )
    write_result(
        output_dir,
        {
            "config": dataclasses.asdict(recipe),
            "published": {"validation_loss_nanogpt": 1.88, "source": "karpathy/nanoGPT, README.md"},
            "validation_loss_nanogpt": mean_with_interval([row["validation_loss_nanogpt"] for row in runs]),
            "bits_per_byte_last": mean_with_interval([row["bits_per_byte_last"] for row in runs]),
            "runs": runs,
        },
    )
