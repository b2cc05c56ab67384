"""Test accuracy on MNIST of the committed recipes, three seeds each, fixed before.

Each recipe was chosen on 10,000 held-out training images (docs/lab-notebook.md). Here it trains on all 60,000 for the
same number of steps, the last weights are what counts, and the test set is measured once a seed. A recipe whose figures
are there already, from the same settings, is not trained again: the test set is not a thing to try twice.
"""

import dataclasses
import json
import tempfile
from pathlib import Path

from tqdm import tqdm

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.runs.manifest import commit

RECIPES = ("mlp-dropout", "lenet")
SEEDS = (0, 1, 2)


def run(output_dir: Path) -> None:
    """Train every recipe with every seed and write result.json; half an hour on one core."""
    path = output_dir / "result.json"
    recipes = json.loads(path.read_text(encoding="utf-8"))["recipes"] if path.exists() else {}
    for name in tqdm(RECIPES, unit="recipe", disable=None):
        config = recipe(ClassifierConfig, f"mnist/{name}")
        if recipes.get(name, {}).get("config") == dataclasses.asdict(config):
            continue
        runs = [trained(config, seed) for seed in SEEDS]
        accuracy = mean_interval([run["test"]["accuracy"] for run in runs])
        recipes[name] = {
            "config": dataclasses.asdict(config), "commit": commit(), "runs": runs,
            "test_accuracy": {"mean": round(accuracy.mean, 5), "interval_95": accuracy.bounds},
        }  # fmt: skip
        write_result(output_dir, trained_on="all 60,000 training images", recipes=recipes)


def trained(config: ClassifierConfig, seed: int) -> dict:
    """Return the figures of one seed."""
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(config, seed=seed, validation_fraction=0.0, output_dir=f"{folder}/run")
        manifest = train_classifier(config)
    return {
        "seed": seed, "test": manifest["metrics"]["test"], "parameters": manifest["model"]["parameters"],
        "precision": manifest["resolved"]["precision"],
        "timings": {name: manifest[name] for name in ("wall_seconds", "images_per_second")},
    }  # fmt: skip
