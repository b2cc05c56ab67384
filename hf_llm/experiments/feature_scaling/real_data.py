"""Least squares on real tables by gradient descent at the best constant rate, with raw and with standardised features.

The raw features stand beside a column of ones for the intercept, as they come from the file; standardising takes away
each one's mean and divides by its deviation. That makes the units alike but leaves features that say the same thing as
correlated as they were.
"""

import numpy as np
import pandas as pd

from hf_llm.experiments.feature_scaling.data_sets import DATA_SETS, VERSIONS, read_table, standardise
from hf_llm.experiments.feature_scaling.quadratic import TOLERANCE, bound, gradient_descent
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure

STEPS = (1_000, 10_000)  # of the short and of the full version
POINTS = 60  # of a curve
ALIKE = 2.0  # a condition number up to this counts as close to one


def design_matrix(features: np.ndarray, version: str) -> np.ndarray:
    """Return raw features and a 1 for the intercept, or standardised ones: with mean 0, their best intercept is 0."""
    return np.c_[features, np.ones(len(features))] if version == "raw" else standardise(features)


def measure(study: Study) -> Tables:
    """Descend on each table in both versions; the seed draws four fifths of the rows."""
    steps = study.pick(*STEPS)
    kept = np.unique(np.geomspace(1, steps, POINTS).astype(int)).tolist()
    runs, excesses = [], []
    for data, version in study.track([(data, version) for data in DATA_SETS for version in VERSIONS]):
        for seed in study.seeds:
            features, target = read_table(data, seed)
            matrix = design_matrix(features, version)
            solution = np.linalg.lstsq(matrix, target)[0]
            excess, _, condition = gradient_descent(matrix.T @ matrix / len(matrix), solution, steps)
            cell = {"data": data, "version": version, "seed": seed}
            arrived = int(np.argmax(excess <= TOLERANCE)) or np.nan  # NaN: it did not arrive
            runs.append({**cell, "condition": condition, "steps": arrived, "left": excess[-1]})
            excesses += [{**cell, "step": step, "excess": excess[step]} for step in kept]
    return {"regressions": pd.DataFrame(runs), "excesses": pd.DataFrame(excesses)}


def findings(tables: Tables) -> list[Finding]:
    """Excess losses are shares of that at the start, in per cent; runs are paired by the seed."""
    runs = tables["regressions"]
    means = tables["excesses"].pivot_table(index=["data", "step"], columns="version", values="excess")

    def left(data: str, version: str) -> np.ndarray:
        return 100 * by_seed(runs, "left", data=data, version=version)

    return [
        *(above(f"further_on_{data}", left(data, "raw") - left(data, "standardised")) for data in DATA_SETS),
        exact("always_ahead", 100 * (means["raw"] - means["standardised"]).min(), 0.0, "above"),
        exact("condition_near_one", select(runs, version="standardised")["condition"].max(), ALIKE, "below"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Excess loss along the steps."""
    figure, axes = new_figure(1, len(DATA_SETS), width=4)
    for number, (axis, data) in enumerate(zip(axes[0], DATA_SETS)):
        curves(axis, select(tables["excesses"], data=data), "step", "excess", "version", say)
        axis.set(xscale="log", yscale="log", ylim=(1e-4, 1.5))
        label(axis, say("figures.real.step"), say("figures.real.excess"), name_of(data, say), legend=number == 0)
    return figure


def measured_and_theory(tables: Tables) -> pd.DataFrame:
    """Geometric mean of κ, and the steps, empty where a run did not arrive."""
    runs = tables["regressions"]
    allowed = [bound(condition, TOLERANCE) for condition in runs["condition"]]
    groups = runs.assign(bound=allowed, condition=np.log(runs["condition"])).groupby(["data", "version"], sort=False)
    rows = groups[["condition", "bound", "steps", "left"]].agg(lambda values: values.mean(skipna=False)).reset_index()
    steps = rows["steps"].astype(object).where(rows["steps"].notna(), None)
    return rows.assign(condition=np.exp(rows["condition"]), steps=steps)


FIGURES = {"real": draw}
SUMMARIES = {"regressions": measured_and_theory}
