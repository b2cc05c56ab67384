"""Whether speed costs accuracy: the recipes of The Verdict and Tiny Shakespeare in fp32, in bf16, and compiled.

On a processor without bf16 its products are emulated, so that the losses can be measured there too (emulated_bf16.py).
"""

import dataclasses
import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import mean

from hf_llm.benchmarks.emulated_bf16 import bf16_products_in_fp32
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


def run(output_dir: Path) -> None:
    """Train each recipe in each way, three seeds, and compare the last weights; forty minutes to two hours."""
    emulated = bf16_is_slow("cpu") is not None
    with bf16_products_in_fp32() if emulated else nullcontext():
        found = {name: compare(f"gpt2/{name}") for name in ("verdict", "shakespeare")}
    write_result(output_dir, emulated_bf16=emulated, **found)


def compare(name: str) -> dict:
    """Return the validation loss of the last weights, in nats per token, and how far it is from that of fp32."""
    config = recipe(PretrainConfig, name)
    losses = {
        way: [_loss(dataclasses.replace(config, seed=seed, **more)) for seed in SEEDS] for way, more in WAYS.items()
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
