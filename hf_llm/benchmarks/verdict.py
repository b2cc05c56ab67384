"""The headline figure: bits per byte on the last 10 % of The Verdict, five seeds fixed before, run once."""

import dataclasses
import tempfile
from pathlib import Path

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.evaluation.intervals import bootstrap_interval
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

SEEDS = (0, 1, 2, 3, 4)


def run(output_dir: Path) -> None:
    """Train the committed recipe with each seed and write result.json; ten minutes on two cores."""
    train_with_seeds("gpt2/verdict", SEEDS, output_dir)


def train_with_seeds(name: str, seeds: tuple[int, ...], output_dir: Path, **more) -> None:
    """Train the recipe `name` with each seed and write result.json, with `more` in it."""
    config, runs = recipe(PretrainConfig, name), []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in seeds:
            manifest = pretrain(dataclasses.replace(config, seed=seed, output_dir=f"{scratch}/seed-{seed}"))
            metrics = manifest["metrics"]
            runs.append({
                "seed": seed, "best": metrics["validation"], "last": metrics["validation_last"],
                "parameters": manifest["model"]["parameters"],
                "timings": {name: manifest[name] for name in ("wall_seconds", "tokens_per_second")},
            })  # fmt: skip
    write_result(
        output_dir, config=dataclasses.asdict(config), runs=runs,
        picked="the best weights are picked on the text that they are reported on",
        **{which: mean_with_interval([row[which]["bits_per_byte"] for row in runs]) for which in ("best", "last")},
        **more,
    )  # fmt: skip


def mean_with_interval(values: list[float]) -> dict:
    """Return the mean over seeds with its 95 % bootstrap interval."""
    interval = bootstrap_interval(values)
    return {"mean": round(interval.mean, 4), "interval_95": [round(interval.low, 4), round(interval.high, 4)]}
