"""Whether speed costs accuracy: the recipes of The Verdict and Tiny Shakespeare in fp32, in bf16, and compiled.

Where bf16 is slow, compiled steps are in fp32.
"""

import dataclasses
import tempfile
from pathlib import Path
from statistics import mean

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig
from hf_llm.training.precision import bf16_is_slow

SEEDS = (0, 1, 2)
WAYS = {
    "fp32": {"precision": "fp32"},
    "bf16": {"precision": "bf16"},
    "bf16, compiled": {"precision": "bf16", "compile": True},
}
WITHOUT_BF16 = {"fp32": {"precision": "fp32"}, "fp32, compiled": {"precision": "fp32", "compile": True}}


def run(output_dir: Path) -> None:
    """Train each recipe in each way, three seeds, and compare the last weights; forty minutes on one core."""
    ways = WITHOUT_BF16 if bf16_is_slow("cpu") else WAYS
    write_result(output_dir, **{name: compare(f"gpt2/{name}", ways) for name in ("verdict", "shakespeare")})


def compare(name: str, ways: dict[str, dict]) -> dict:
    """Return the validation loss of the last weights, in nats per token, and how far it is from that of fp32."""
    config = recipe(PretrainConfig, name)
    losses = {
        way: [_loss(dataclasses.replace(config, seed=seed, **more)) for seed in SEEDS] for way, more in ways.items()
    }
    return {
        "config": dataclasses.asdict(config),
        "seeds": SEEDS,
        "validation_loss": losses,
        "change_percent": {
            way: {
                "mean": round(100 * (mean(found) / mean(losses["fp32"]) - 1), 3),
                "by_seed": [round(100 * (loss / fp32 - 1), 3) for loss, fp32 in zip(found, losses["fp32"])],
            }
            for way, found in losses.items()
            if way != "fp32"
        },
    }


def _loss(config: PretrainConfig) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        manifest = pretrain(dataclasses.replace(config, output_dir=f"{scratch}/run"))
    return manifest["metrics"]["validation_last"]["loss"]
