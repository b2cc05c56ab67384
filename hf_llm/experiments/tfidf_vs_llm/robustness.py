"""Robustness: the test with typing errors and in leetspeak; the methods were trained on clean messages."""

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure
from hf_llm.experiments.tfidf_vs_llm.methods import METHODS, TRAINED
from hf_llm.experiments.tfidf_vs_llm.perturbations import KINDS, spoil
from hf_llm.experiments.tfidf_vs_llm.training import base_of, figures, grid_of, test_of, trained


def measure(study: Study) -> Tables:
    """Judge every method, trained on all labels, on the same messages clean and spoilt."""
    grid, base = grid_of(study), base_of(study)
    count, steps = grid.steps[-1]
    spoilings = [("clean", 0.0), *((kind, strength) for kind in KINDS for strength in grid.strengths[kind])]
    rows = []
    for seed, name in study.track([(seed, name) for seed in study.seeds for name in METHODS]):
        labels = (0, 0) if name == "gpt2_zero_shot" else (count, steps)
        method, test = trained(name, base, *labels, seed).method, test_of(seed, grid.spoilt)
        for kind, strength in spoilings:
            texts = tuple(spoil(text, kind, strength, seed) for text in test.texts) if strength else test.texts
            scored = figures(method.scores(texts), test.labels)
            rows.append({"method": name, "kind": kind, "strength": strength, "seed": seed} | scored)
    return {"spoilt": pd.DataFrame(rows)}


def middle(table: pd.DataFrame, kind: str) -> float:
    """Return the strength in the middle of those of a kind."""
    strengths = sorted(select(table, kind=kind)["strength"].unique())
    return strengths[len(strengths) // 2]


def findings(tables: Tables) -> list[Finding]:
    table = tables["spoilt"]

    def f1(method: str, **settings):
        return 100 * by_seed(table, "f1", method=method, **settings)

    def drop(method: str, kind: str):
        """How many percentage points of F1 a method loses at the middle strength, (seeds,)."""
        return f1(method, kind="clean") - f1(method, kind=kind, strength=middle(table, kind))

    def spoilt(method: str, kind: str):
        return f1(method, kind=kind, strength=middle(table, kind))

    return [
        *(above(f"{kind}_hurt_{rival}_more", drop(f"tfidf_{rival}", kind) - drop("gpt2_finetuned", kind))
          for kind in KINDS for rival in ("words", "chars")),
        *(above(f"{kind}_finetuned_over_chars", spoilt("gpt2_finetuned", kind) - spoilt("tfidf_chars", kind))
          for kind in KINDS),
    ]  # fmt: skip


def drops(tables: Tables) -> pd.DataFrame:
    """Return F1 in percent by method, clean and at the middle strength of each kind: means over the seeds."""
    table = tables["spoilt"]
    columns = {"clean": select(table, kind="clean")}
    columns |= {kind: select(table, kind=kind, strength=middle(table, kind)) for kind in KINDS}
    means = {name: 100 * rows.groupby("method", sort=False)["f1"].mean() for name, rows in columns.items()}
    return pd.DataFrame(means).round(1).rename_axis("method").reset_index()


def draw_spoilt(tables: Tables, say: Say) -> Figure:
    """F1 by strength, a panel for each kind of spoiling, from the clean message on."""
    figure, axes = new_figure(1, 2, width=5.2, height=4)
    for axis, kind in zip(axes[0], KINDS):
        rows = select(tables["spoilt"], kind=["clean", kind], method=list(TRAINED))
        rows = rows.assign(f1=100 * rows["f1"], strength=100 * rows["strength"])
        curves(axis, rows, "strength", "f1", "method", say, keys=TRAINED)
        axis.set_ylim(0, 100)
        label(axis, say(f"figures.strength_{kind}"), say("figures.f1"), name_of(kind, say), legend=kind == KINDS[0])
    return figure


FIGURES = {"spoilt": draw_spoilt}
SUMMARIES = {"spoilt": drops}
