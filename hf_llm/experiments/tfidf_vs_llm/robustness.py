"""Robustness: the test with typing errors and in leetspeak; the methods were trained on clean messages."""

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure
from hf_llm.experiments.tfidf_vs_llm.methods import TRAINED
from hf_llm.experiments.tfidf_vs_llm.perturbations import KINDS, spoil
from hf_llm.experiments.tfidf_vs_llm.training import base_of, figures, grid_of, test_of, trained_on_all


def measure(study: Study) -> Tables:
    """Judge every method that trains, with all labels, on the same messages clean and spoilt."""
    grid, base = grid_of(study), base_of(study)
    spoilings = [("clean", 0.0), *((kind, strength) for kind in KINDS for strength in grid.strengths[kind])]
    rows = []
    for seed, name in study.track([(seed, name) for seed in study.seeds for name in TRAINED]):
        method, test = trained_on_all(name, base, grid, seed), test_of(seed, grid.spoilt)
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

    def drop(method: str, kind: str, score: str = "f1"):
        """How many percentage points of F1, or of AUC, a method loses at the middle strength, (seeds,)."""
        clean = by_seed(table, score, method=method, kind="clean")
        return 100 * (clean - by_seed(table, score, method=method, kind=kind, strength=middle(table, kind)))

    def more(rival: str, kind: str, score: str = "f1"):
        """How many percentage points more than the fine-tuned GPT-2 a TF-IDF loses, (seeds,)."""
        return drop(f"tfidf_{rival}", kind, score) - drop("gpt2_finetuned", kind, score)

    return [
        *(above(f"{kind}_hurt_{rival}_more", more(rival, kind)) for kind in KINDS for rival in ("words", "chars")),
        *(above(f"leetspeak_upsets_{rival}_more", more(rival, "leetspeak", "auc")) for rival in ("words", "chars")),
    ]


def drops(tables: Tables) -> pd.DataFrame:
    """Return what becomes of each method at the middle strength of each kind, in percent: means over the seeds.

    Columns: F1 on clean messages, with typing errors and in leetspeak; of leetspeak also the spam that is found, the
    normal messages that are taken for it, and the AUC.
    """
    table = tables["spoilt"]
    versions = {"clean": select(table, kind="clean")}
    versions |= {kind: select(table, kind=kind, strength=middle(table, kind)) for kind in KINDS}
    columns = {name: rows.groupby("method", sort=False)["f1"].mean() for name, rows in versions.items()}
    for column in ("recall", "alarms", "auc"):
        columns[column] = versions["leetspeak"].groupby("method", sort=False)[column].mean()
    return (100 * pd.DataFrame(columns)).round(1).rename_axis("method").reset_index()


def draw_spoilt(tables: Tables, say: Say) -> Figure:
    """F1 by strength, a panel for each kind of spoiling, from the clean message on."""
    figure, axes = new_figure(1, 2, width=5.2, height=4)
    for axis, kind in zip(axes[0], KINDS):
        rows = select(tables["spoilt"], kind=["clean", kind])
        rows = rows.assign(f1=100 * rows["f1"], strength=100 * rows["strength"])
        curves(axis, rows, "strength", "f1", "method", say, keys=TRAINED)
        axis.set_ylim(0, 100)
        label(
            axis, say(f"figures.strength_{kind}"), say("figures.f1_axis"), name_of(kind, say), legend=kind == KINDS[0]
        )
    return figure


FIGURES = {"spoilt": draw_spoilt}
SUMMARIES = {"spoilt": drops}
