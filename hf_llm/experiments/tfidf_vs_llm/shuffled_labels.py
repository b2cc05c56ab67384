"""Shuffled labels: trained on labels that mean nothing, no method may be better than always saying no."""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Study, Tables, exact, select
from hf_llm.experiments.tfidf_vs_llm.methods import TRAINED
from hf_llm.experiments.tfidf_vs_llm.training import base_of, figures, grid_of, test_of, trained

ABOVE = 0.5  # percentage points of accuracy above the base rate, from which a method has learned something


def measure(study: Study) -> Tables:
    """Train every method on the same messages, with their own labels and with these shuffled."""
    grid, base = grid_of(study), base_of(study)
    count, steps = grid.shuffled, dict(grid.steps)[grid.shuffled]
    rows = []
    cells = [(seed, name, shuffled) for seed in study.seeds for name in TRAINED for shuffled in (False, True)]
    for seed, name, shuffled in study.track(cells):
        method, test = trained(name, base, count, steps, seed, shuffled).method, test_of(seed, grid.test)
        described = {"method": name, "shuffled": int(shuffled), "labels": count, "seed": seed}
        rows.append(described | figures(method.scores(test.texts), test.labels))
    return {"shuffled": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["shuffled"]
    gain = 100 * (table["accuracy"] - table["base_rate"])
    means = table.assign(gain=gain).groupby(["shuffled", "method"])["gain"].mean()  # over the seeds
    return [
        exact("shuffled_learn_nothing", np.max(means[1]), ABOVE, "below"),
        exact("true_labels_teach", np.min(means[0]), ABOVE, "above"),
    ]


def gains(tables: Tables) -> pd.DataFrame:
    """Return accuracy minus base rate, in percentage points, with true and with shuffled labels."""
    table = tables["shuffled"]
    table = table.assign(gain=100 * (table["accuracy"] - table["base_rate"]))
    of = {name: select(table, shuffled=one).groupby("method", sort=False)["gain"].mean()
          for one, name in enumerate(("genuine", "shuffled"))}  # fmt: skip
    return pd.DataFrame(of).round(1).rename_axis("method").reset_index()


SUMMARIES = {"shuffled": gains}
