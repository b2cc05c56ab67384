"""The headline figure: bits per byte on the last 10 % of The Verdict, five seeds fixed before, run once."""

import dataclasses
import tempfile
from pathlib import Path

from hf_llm.benchmarks.record import write_result
from hf_llm.benchmarks.verdict_sweep import RECIPE
from hf_llm.config import load_yaml
from hf_llm.evaluation.intervals import bootstrap_interval
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

SEEDS = (0, 1, 2, 3, 4)


def run(output_dir: Path) -> None:
    """Train the committed recipe with each seed and write result.json; ten minutes on two cores."""
    recipe = PretrainConfig(**load_yaml(PretrainConfig, RECIPE))
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in SEEDS:
            manifest = pretrain(dataclasses.replace(recipe, seed=seed, output_dir=f"{scratch}/seed-{seed}"))
            runs.append(
                {
                    "seed": seed,
                    "best": manifest["metrics"]["validation"],
                    "last": manifest["metrics"]["validation_last"],
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
            "picked": "the best weights are picked on the text that they are reported on",
            "best": mean_with_interval([row["best"]["bits_per_byte"] for row in runs]),
            "last": mean_with_interval([row["last"]["bits_per_byte"] for row in runs]),
            "runs": runs,
        },
    )


def mean_with_interval(values: list[float]) -> dict:
    """Return the mean over seeds with its 95 % bootstrap interval."""
    interval = bootstrap_interval(values)
    return {"mean": round(interval.mean, 4), "interval_95": [round(interval.low, 4), round(interval.high, 4)]}
