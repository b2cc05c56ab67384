"""Lab: squared error and cross-entropy, each where it belongs and where it does not."""

from itertools import product

import numpy as np

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.findings import below, exact, over_seeds
from hf_llm.experiments.losses.calibration import LOSSES as CALIBRATED
from hf_llm.experiments.losses.calibration import judge
from hf_llm.experiments.losses.charts import draw_calibration, draw_gradients, draw_race, draw_regression
from hf_llm.experiments.losses.digits import LOSSES, gradient_at_start, race, starts
from hf_llm.experiments.losses.formulas import gradient_difference, logit_rows, order_rows, overflow_rows
from hf_llm.experiments.losses.regression import DATASETS, FEW, MANY, METHODS, fit, floor
from hf_llm.experiments.losses.words import (
    CAPTIONS,
    CAVEATS,
    CLAIMS,
    DATASET_NAMES,
    INTRODUCTION,
    LOSS_NAMES,
    METHOD_NAMES,
    START_NAMES,
    TABLES,
    TITLE,
)
from hf_llm.experiments.result import Chart, Finding, Progress, Result, Table, track
from hf_llm.training.launch import start_processes

# of the first step; the same ones for all that is compared, and fine where trainings begin to break
DIGITS_RATES = (0.3, 0.5, 1.0, 1.5, 2.0, 3.0)
REGRESSION_RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
QUICK_RATES = (0.3, 1.0)
POINTS = 15  # of a curve
BINNED = [name for name in METHODS if name.startswith("bins_")]
ROUNDING, ROUNDING_32 = 1e-12, 1e-6
VANISHED = 0.01  # of the cross-entropy's gradient
TRUSTED = 0.03  # a calibration error below this counts as calibrated


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Write the losses out and train with them; the seeds vary weights, batches, splits and coins."""
    start_processes(threads=1)  # nets of this size gain nothing from a second one, and the bits depend on the number
    seeds = list(range(config.seeds))
    digits_rates, regression_rates = (QUICK_RATES, QUICK_RATES) if config.quick else (DIGITS_RATES, REGRESSION_RATES)
    steps, wrong_steps, regression_steps, neuron_steps = (60, 150, 60, 100) if config.quick else (300, 600, 300, 500)
    nets = {seed: starts(seed, wrong_steps) for seed in seeds}
    races = list(product(START_NAMES, LOSSES, digits_rates, seeds))
    fits = list(product(DATASETS, METHODS, regression_rates, seeds))
    raced, fitted = {}, {}
    for number, cell in enumerate(track(races + fits, progress)):
        if number < len(races):
            start, loss, rate, seed = cell
            raced[cell] = race(nets[seed][start], loss, rate, seed, steps, POINTS)
        else:
            fitted[cell] = fit(*cell, regression_steps)
    rows = {
        "gradients": logit_rows(),
        "overflow": overflow_rows(),
        "digits": digits_rows(raced, nets, digits_rates, seeds),
        "order": order_rows(),
        "regression": regression_rows(fitted, regression_rates, seeds),
        "calibration": [calibration_row(loss, seeds, neuron_steps) for loss in CALIBRATED],
    }
    tables = {name: Table(*TABLES[name], rows[name]) for name in TABLES}
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L5", "L9"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "optimizer": "SGD, batch 64, the learning rate falls to zero in a straight line",
            "digits": {"net": "64-64-10, ReLU", "training_images": 1000, "steps": steps, "wrong_steps": wrong_steps,
                       "learning_rates": digits_rates, "rate_chosen_by": "accuracy on 300 validation images"},
            "regression": {"net": "one hidden layer of 32, ReLU", "bins": [FEW, MANY], "steps": regression_steps,
                           "learning_rates": regression_rates, "rate_chosen_by": "validation error"},
            "calibration": {"samples": 2000, "steps": neuron_steps, "bins": 10, "calibrated_below": TRUSTED},
        },
        findings=findings(rows, [gradient_difference(seed) for seed in seeds]),
        tables=tables,
        charts={
            "gradients": Chart(CAPTIONS["gradients"], lambda language: draw_gradients(tables["gradients"], language)),
            "race": Chart(CAPTIONS["race"], lambda language: draw_race(tables["digits"], language)),
            "regression": Chart(
                CAPTIONS["regression"], lambda language: draw_regression(tables["regression"], language)
            ),
            "calibration": Chart(
                CAPTIONS["calibration"], lambda language: draw_calibration(tables["calibration"], language)
            ),
        },
        caveats=CAVEATS,
    )  # fmt: skip


def digits_rows(raced: dict, nets: dict, rates: tuple[float, ...], seeds: list[int]) -> list[dict]:
    """Return, for each start, loss and rate, the accuracies; `best` marks the rate that validation picks."""
    rows = []
    for start, start_name in START_NAMES.items():
        for loss in LOSSES:
            gradients = [gradient_at_start(nets[seed][start], loss) for seed in seeds]
            of_loss = []
            for rate in rates:
                runs = [raced[start, loss, rate, seed] for seed in seeds]
                along = [float(np.mean(run["validation"])) for run in runs]
                test = [run["test"] for run in runs]
                of_loss.append({
                    "start": start, "start_name": start_name, "loss": loss, "loss_name": LOSS_NAMES[loss],
                    "rate": rate,
                    "gradient": float(np.mean(gradients)),
                    "along": float(np.mean(along)),
                    "validation": float(np.mean([run["validation"][-1] for run in runs])),
                    "test": float(np.mean(test)),
                    "steps": runs[0]["steps"],
                    "seeds": {"gradient": gradients, "along": along, "test": test,
                              "curves": [run["validation"] for run in runs]},
                })  # fmt: skip
            best = max(of_loss, key=lambda row: row["validation"])
            rows += [row | {"best": row is best} for row in of_loss]
    return rows


def regression_rows(fitted: dict, rates: tuple[float, ...], seeds: list[int]) -> list[dict]:
    """Return, for each data set, method and reading, the errors at the rate that validation picks."""
    rows = []
    for dataset, dataset_name in DATASET_NAMES.items():
        for name in METHODS:
            for reading in fitted[dataset, name, rates[0], seeds[0]]:

                def errors(rate: float, part: str, cell=(dataset, name), reading=reading) -> list[float]:
                    return [fitted[*cell, rate, seed][reading][part] for seed in seeds]

                best = min(rates, key=lambda rate: np.mean(errors(rate, "validation")))
                bins = int(name.removeprefix("bins_")) if name in BINNED else None
                floors = [floor(dataset, bins, seed) for seed in seeds] if bins else None
                rows.append({
                    "dataset": dataset, "dataset_name": dataset_name, "method": name, "reading": reading,
                    "method_name": METHOD_NAMES[name, reading],
                    "rate": best,
                    "training": float(np.mean(errors(best, "training"))),
                    "validation": float(np.mean(errors(best, "validation"))),
                    "test": float(np.mean(errors(best, "test"))),
                    "floor": float(np.mean(floors)) if floors else None,
                    "seeds": errors(best, "test"),
                })  # fmt: skip
    return rows


def calibration_row(loss: str, seeds: list[int], steps: int) -> dict:
    """Return the means over the seeds of `judge`, and the values themselves."""
    judged = [judge(loss, seed, steps) for seed in seeds]
    means = {key: float(np.mean([one[key] for one in judged]))
             for key in ("calibration_error", "from_truth", "accuracy")}  # fmt: skip
    return {"loss": loss, "loss_name": LOSS_NAMES[loss], **means, "seeds": judged}


def findings(rows: dict[str, list[dict]], gradient_differences: list[float]) -> list[Finding]:
    """Return what was measured about each claim."""
    surely_wrong = rows["gradients"][0]  # the lowest logit, where the right answer is 1
    vanished = surely_wrong["squared"] / surely_wrong["cross_entropy"]
    overflow = [row["m"] for row in rows["overflow"] if not np.isfinite(row["by_definition"])]
    stable = max(abs(row["log_sum_exp"] - row["exact"]) / row["exact"] for row in rows["overflow"])
    blind = np.ptp([row["cross_entropy"] for row in rows["order"]])
    best = {(row["start"], row["loss"]): row["seeds"] for row in rows["digits"] if row["best"]}
    judged = {row["loss"]: [one["calibration_error"] for one in row["seeds"]] for row in rows["calibration"]}

    def gain(start: str, key: str) -> np.ndarray:
        """Cross-entropy minus squared error, (seeds,)."""
        return np.subtract(best[start, "cross_entropy"][key], best[start, "squared"][key])

    found = [
        exact(CLAIMS["p_minus_y"], max(gradient_differences), max(gradient_differences) < ROUNDING),
        exact(CLAIMS["vanishes"], vanished, vanished < VANISHED),
        over_seeds(CLAIMS["sends_less_back"], gain("surely_wrong", "gradient")),
        over_seeds(CLAIMS["drawn_end"], 100 * gain("as_drawn", "test")),
        over_seeds(CLAIMS["drawn_along"], 100 * gain("as_drawn", "along")),
        over_seeds(CLAIMS["wrong_end"], 100 * gain("surely_wrong", "test")),
        over_seeds(CLAIMS["wrong_along"], 100 * gain("surely_wrong", "along")),
    ]
    for dataset in DATASETS:
        of_dataset = {(row["method"], row["reading"]): row for row in rows["regression"] if row["dataset"] == dataset}
        bins = min(BINNED, key=lambda name: of_dataset[name, "mean"]["validation"])
        squared, mean, top, probability = (
            np.array(of_dataset[key]["seeds"])
            for key in (("squared", "output"), (bins, "mean"), (bins, "top"), ("probability", "output"))
        )
        found += [
            over_seeds(CLAIMS[dataset, "bins"], mean - squared),
            over_seeds(CLAIMS[dataset, "top"], top - mean),
            over_seeds(CLAIMS[dataset, "probability"], probability - squared),
        ]
    return [
        *found,
        exact(CLAIMS["order"], blind, blind > ROUNDING),
        exact(CLAIMS["definition"], min(overflow, default=np.inf), not overflow),
        exact(CLAIMS["log_sum_exp"], stable, stable < ROUNDING_32),
        below(CLAIMS["calibrated"], judged["cross_entropy"], TRUSTED),
        below(CLAIMS["calibrated_squared"], judged["squared"], TRUSTED),
        below(CLAIMS["calibrated_absolute"], judged["absolute"], TRUSTED),
    ]
