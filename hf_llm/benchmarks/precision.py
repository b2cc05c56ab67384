"""Whether speed costs accuracy: the recipes of The Verdict and Tiny Shakespeare in fp32, in bf16, and compiled.

On a processor without bf16 its products are emulated, so that the losses can be measured there too (emulated_bf16.py).
"""

import dataclasses
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

from hf_llm.benchmarks.emulated_bf16 import bf16_products_in_fp32
from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import usable_cores
from hf_llm.training.precision import bf16_is_slow

SEEDS = (0, 1, 2)
WAYS = {
    "fp32": {"precision": "fp32"},
    "bf16": {"precision": "bf16"},
    "bf16, compiled": {"precision": "bf16", "compile": True},
}


def run(output_dir: Path) -> None:
    """Train each recipe in each way, three seeds, a run a core, and compare the last weights; an hour on two cores."""
    recipes = {name: recipe(PretrainConfig, f"gpt2/{name}") for name in ("verdict", "shakespeare")}
    with ProcessPoolExecutor(usable_cores(), get_context("spawn")) as processes:
        started = {
            name: {
                way: [processes.submit(_loss, dataclasses.replace(config, seed=seed, **more)) for seed in SEEDS]
                for way, more in WAYS.items()
            }
            for name, config in recipes.items()
        }
        found = {name: compare(started[name]) for name in recipes}
    write_result(
        output_dir, emulated_bf16=bf16_is_slow("cpu") is not None, seeds=SEEDS,
        **{name: {"config": dataclasses.asdict(config), **found[name]} for name, config in recipes.items()},
    )  # fmt: skip


def compare(runs: dict[str, list[Future]]) -> dict:
    """Return the validation loss of the last weights, in nats per token, and how far it is from that of fp32."""
    losses = {way: [run.result() for run in of_way] for way, of_way in runs.items()}
    return {
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
    emulated = config.precision == "bf16" and bf16_is_slow("cpu")
    with bf16_products_in_fp32() if emulated else nullcontext(), tempfile.TemporaryDirectory() as scratch:
        manifest = pretrain(dataclasses.replace(config, output_dir=f"{scratch}/run"))
    return manifest["metrics"]["validation_last"]["loss"]
