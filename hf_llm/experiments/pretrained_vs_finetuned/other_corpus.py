"""Another corpus: The Verdict, from random weights and from pretrained ones, and what is forgotten meanwhile."""

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.pretrained_vs_finetuned.training import grid_of, reader, setup_of
from hf_llm.experiments.shared.short_run import SEARCH_SEED

FORGOTTEN = 0.05  # bits per byte from which the first text counts as partly forgotten
READERS = ("scratch", "pretrained", "portuguese")


def measure(study: Study) -> Tables:
    setup, points = setup_of(study), []
    tried = searches(setup)
    rates = chosen({"story_rates": tried}).set_index("start")["rate"]
    for seed, start in study.track([(seed, start) for seed in study.seeds for start in READERS]):
        curve = reader(setup, start, rates[start], seed).curve
        points += [{"start": start, "rate": rates[start], "seed": seed} | point for point in curve]
    return {"story_rates": tried, "story": pd.DataFrame(points)}


def searches(setup: Study) -> pd.DataFrame:
    """Return the curves of every rate that is tried for a start, on a seed of its own."""
    return pd.DataFrame([
        {"start": start, "rate": rate, "seed": SEARCH_SEED} | point
        for start in READERS
        for rate in grid_of(setup).story_rates
        for point in reader(setup, start, rate, SEARCH_SEED).curve
    ])  # fmt: skip


def kept(curves: pd.DataFrame) -> pd.DataFrame:
    """Return for each training the point that validation picks."""
    by = ["start", "rate", "seed"]
    return curves.loc[curves.groupby(by, sort=False)["validation"].idxmin()].reset_index(drop=True)


def chosen(tables: Tables) -> pd.DataFrame:
    """Return the rate of the lowest bits per byte on the validation part for each start, and whether it is an edge."""
    return best(kept(tables["story_rates"]), "rate", "validation", by=["start"])


def findings(tables: Tables) -> list[Finding]:
    table, first = kept(tables["story"]), select(tables["story"], step=0)
    bits = {start: by_seed(table, "test", start=start) for start in READERS}
    old_before, old_after = (by_seed(rows, "old", start="pretrained") for rows in (first, table))
    return [
        above("saves_bits", bits["scratch"] - bits["pretrained"]),
        above("ahead_before_training", bits["scratch"] - by_seed(first, "test", start="pretrained")),
        above("portuguese_saves_less", bits["portuguese"] - bits["pretrained"]),
        above("portuguese_saves_bits", bits["scratch"] - bits["portuguese"]),
        above("story_forgets", old_after - old_before, FORGOTTEN),
        above("still_knows_more", by_seed(table, "old", start="scratch") - old_after),
    ]


def at_the_end(tables: Tables) -> pd.DataFrame:
    """Return for each start its rate, the step that validation picks, and bits per byte before and after: means."""
    rows = []
    for start, table in kept(tables["story"]).groupby("start", sort=False):
        before = select(tables["story"], step=0, start=start)
        rows.append({
            "start": start, "rate": table["rate"].iloc[0], "step": round(table["step"].mean()),
            "before": before["test"].mean(), "after": table["test"].mean(),
            "old_before": before["old"].mean(), "old_after": table["old"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows).round(4)


def by_rate(tables: Tables) -> pd.DataFrame:
    """Return what each rate that was tried gives the pretrained model on the new text, and costs it on the old one."""
    tried = select(tables["story_rates"], start="pretrained")
    rows = kept(tried)[["rate", "step", "test", "old"]]
    return rows.rename(columns={"test": "after", "old": "old_after"}).round(4)


def draw(tables: Tables, say: Say) -> Figure:
    """The new text and the old one by the steps of training on the new one."""
    figure, axes = new_figure(1, 2, width=5.2, height=3.8)
    for axis, column in zip(axes[0], ("test", "old")):
        curves(axis, tables["story"], "step", column, "start", say, keys=READERS)
        label(axis, say("figures.step"), say(f"figures.{column}"))
    return figure


FIGURES = {"other_corpus": draw}
SUMMARIES = {"story": at_the_end, "rates": by_rate}
