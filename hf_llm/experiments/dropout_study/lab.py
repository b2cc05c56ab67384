"""The lecture's exercise: a Linear + ReLU net on MNIST without dropout and with p from 0.1 to 0.7, on much and on
little data.

Every net trains for the same number of steps on the same images in the same order, and the test set is measured once,
with the last weights: nothing is chosen by it. Differences to the net without dropout are paired by the seed, which
gives both their images, their first weights and their order.

Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
"""

from dataclasses import dataclass

import numpy as np

from hf_llm.data.images import ImageData, draw, hold_out, read_images
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.dropout_study.charts import accuracy_chart, gap_chart, loss_chart, test_chart
from hf_llm.experiments.dropout_study.words import CAVEATS, HEADINGS, INTRODUCTION, SIZES, TITLE, claims, curve_headings
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.result import Finding, Progress, Result, Table, Words, track
from hf_llm.experiments.seed_comparison import DIGITS, points, with_bounds
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

VALIDATION = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
HIDDEN = [512, 512]
BATCH = 128
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


@dataclass(frozen=True)
class Grid:
    """What is run: {name of a size: how many images, None for all}, the dropouts, and for how long."""

    images: dict[str, int | None]
    dropouts: tuple[float, ...]
    epochs: dict[str, int]  # passes over the images of each size
    least_steps: int
    evaluations: int  # points of a curve


FULL = Grid(
    {"few": 1000, "some": 5000, "all": None},
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    {"few": 150, "some": 40, "all": 12},
    least_steps=1000,
    evaluations=12,
)
QUICK = Grid({"few": 500, "all": None}, (0.0, 0.5), {"few": 60, "all": 3}, least_steps=240, evaluations=6)


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Train the grid and compare; 120 nets in the full version."""
    grid, seeds = QUICK if config.quick else FULL, list(range(config.seeds))
    data = read_images(config.data)
    cells = [(size, p, seed) for size in grid.images for p in grid.dropouts for seed in seeds]
    runs = {cell: train_cell(data, grid, *cell) for cell in track(cells, progress)}
    summary, curves = summary_table(runs, grid, seeds), curve_table(runs, grid, seeds)
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L14", "L27", "L28", "L29"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "data": data.name,
            "data_sha256": data.sha256,
            "model": {"name": "mlp", "hidden_sizes": HIDDEN, "activation": "relu"},
            "images": {size: runs[size, 0.0, seeds[0]]["images"] for size in grid.images},
            "steps": {size: runs[size, 0.0, seeds[0]]["steps"] for size in grid.images},
            "training": {name: getattr(training_config(1), name) for name in (
                "optimizer", "learning_rate", "min_learning_rate_ratio", "warmup_steps", "weight_decay",
                "total_batch_size", "max_grad_norm",
            )},
        },
        findings=findings(runs, grid, seeds),
        tables={"summary": summary, "curves": curves},
        charts={
            "loss": loss_chart(curves, list(grid.images)),
            "accuracy": accuracy_chart(curves, list(grid.images)),
            "gap": gap_chart(summary, list(grid.images)),
            "test": test_chart(summary, list(grid.images)),
        },
        caveats=CAVEATS,
    )  # fmt: skip


def training_config(steps: int, seed: int = 0, evaluations: int = 1) -> TrainingConfig:
    """Return the settings of one training. One thread, so that the numbers do not depend on the cores."""
    return TrainingConfig(
        seed=seed, max_steps=steps, total_batch_size=BATCH, per_device_train_batch_size=BATCH,
        learning_rate=1e-3, min_learning_rate_ratio=0.0, warmup_steps=min(50, steps), weight_decay=0.0,
        eval_steps=max(1, steps // evaluations), logging_steps=steps, precision="fp32", threads=1,
    )  # fmt: skip


def train_cell(data: ImageData, grid: Grid, size: str, dropout: float, seed: int) -> dict:
    """Train one net and return its curve ({figure: values at `step`}) and its test accuracy."""
    images, validation = hold_out(data.train, VALIDATION)
    if grid.images[size] is not None:
        images = draw(images, grid.images[size], seed)
    steps = max(grid.least_steps, grid.epochs[size] * len(images) // BATCH)
    steps -= steps % grid.evaluations  # so that the last evaluation is that of the last step
    config = training_config(steps, seed, grid.evaluations)
    task = ImageClassification(
        new_image_classifier("mlp", seed, hidden_sizes=HIDDEN, dropout=dropout),
        images,
        validation,
        total_batch_size=BATCH,
        per_device_batch_size=BATCH,
        seed=seed,
        train_figures=len(validation),
    )
    records = [record for record in train(task, config).records if "validation_loss" in record]
    test = classification_scores(task.model, data.test)
    return {
        "images": len(images),
        "steps": steps,
        "step": [record["step"] for record in records],
        **{figure: [record[figure] for record in records] for figure in FIGURES},
        "test_accuracy": test["accuracy"],
    }


def measured(runs: dict, size: str, p: float, seeds: list[int], measure) -> np.ndarray:
    """Return `measure(run)` of every seed, (seeds,)."""
    return np.array([measure(runs[size, p, seed]) for seed in seeds])


def summary_table(runs: dict, grid: Grid, seeds: list[int]) -> Table:
    """Return one row for each size and dropout: the end of training, the test, and the difference to no dropout."""
    rows = []
    for size in grid.images:
        for p in grid.dropouts:
            test = measured(runs, size, p, seeds, test_accuracy)
            gain = test - measured(runs, size, 0.0, seeds, test_accuracy)
            row = {"size": SIZES[size], "images": runs[size, p, seeds[0]]["images"], "dropout": p}
            for figure in FIGURES:
                row[figure] = rounded(measured(runs, size, p, seeds, lambda run, f=figure: run[f][-1]).mean())
            row["best_validation_loss"] = rounded(
                measured(runs, size, p, seeds, lambda run: min(run["validation_loss"])).mean()
            )
            row |= with_bounds("gap", measured(runs, size, p, seeds, gap)) | with_bounds("test_accuracy", test)
            row |= with_bounds("gain", gain) if p else {"gain": None, "gain_low": None, "gain_high": None}
            rows.append(row)
    caption = Words(
        pt="No fim do treino, média das sementes; «ganho» é a acurácia no teste menos a da rede sem dropout, pareada "
        "pela semente",
        en="At the end of training, mean over the seeds; “gain” is the test accuracy minus that of the net without "
        "dropout, paired by the seed",
    )
    return Table(caption, HEADINGS, rows)


def curve_table(runs: dict, grid: Grid, seeds: list[int]) -> Table:
    """Return mean, smallest and largest value over the seeds at every evaluation."""
    rows = []
    for size in grid.images:
        for p in grid.dropouts:
            for place, step in enumerate(runs[size, p, seeds[0]]["step"]):
                row = {"size": SIZES[size], "dropout": p, "step": step}
                for figure in FIGURES:
                    values = measured(runs, size, p, seeds, lambda run, f=figure, i=place: run[f][i])
                    row[figure] = rounded(values.mean())
                    row[f"{figure}_low"], row[f"{figure}_high"] = rounded(values.min()), rounded(values.max())
                rows.append(row)
    caption = Words(
        pt="As curvas: média das sementes; os dados trazem também o menor e o maior valor",
        en="The curves: mean over the seeds; the data hold the least and the greatest value, too",
    )
    return Table(caption, curve_headings(), rows)


def findings(runs: dict, grid: Grid, seeds: list[int]) -> list[Finding]:
    """Return what the runs say about each claim, size by size."""
    said, half, found = claims(), 0.5, []

    def accuracy(size: str, p: float) -> np.ndarray:
        return measured(runs, size, p, seeds, test_accuracy)

    for size in grid.images:

        def decrease(measure, size=size) -> np.ndarray:
            """Return by how much dropping half of the units makes `measure` smaller, seed by seed."""
            return measured(runs, size, 0.0, seeds, measure) - measured(runs, size, half, seeds, measure)

        # the dropout that is judged by the test is the one that validation would have picked
        by_validation = {
            p: measured(runs, size, p, seeds, lambda run: run["validation_accuracy"][-1]).mean()
            for p in grid.dropouts if p
        }  # fmt: skip
        picked, most = max(by_validation, key=by_validation.get), max(grid.dropouts)
        found += [
            over_seeds(here(said["gap"], size), decrease(gap)),
            over_seeds(here(said["gain"], size), points(accuracy(size, picked), accuracy(size, 0.0))),
            over_seeds(here(said["rise"], size), decrease(rise)),
        ]
        if most > picked:
            found.append(over_seeds(here(said["too_much"], size), points(accuracy(size, picked), accuracy(size, most))))
    few, whole = (points(accuracy(size, half), accuracy(size, 0.0)) for size in (next(iter(grid.images)), "all"))
    return [*found, over_seeds(said["fewer"], few - whole)]


def test_accuracy(run: dict) -> float:
    return run["test_accuracy"]


def gap(run: dict) -> float:
    """Return validation loss minus training loss at the end: what over-fitting costs, in nats an image."""
    return run["validation_loss"][-1] - run["train_loss"][-1]


def rise(run: dict) -> float:
    """Return how far the validation loss has risen again from its minimum, in nats an image."""
    return run["validation_loss"][-1] - min(run["validation_loss"])


def here(said: tuple[Words, Words], size: str) -> tuple[Words, Words]:
    """Return the claim with the size in front: "With few images, …"."""
    (claim, measure), where = said, SIZES[size]
    return Words(pt=f"{where.pt.capitalize()}, {claim.pt}", en=f"{where.en.capitalize()}, {claim.en}"), measure


def rounded(value: float) -> float:
    return round(float(value), DIGITS)
