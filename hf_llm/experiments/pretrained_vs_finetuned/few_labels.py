"""Few labels: spam in SMS, by what a model begins with and by how many labelled messages it is shown."""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hf_llm.data import LabelledTexts, draw_messages
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, best, by_seed, means, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.pretrained_vs_finetuned.other_corpus import FORGOTTEN
from hf_llm.experiments.pretrained_vs_finetuned.starts import SPLIT_SEED, STARTS, message_parts, model_of
from hf_llm.experiments.pretrained_vs_finetuned.training import (
    Grid,
    classifier,
    figures,
    grid_of,
    log_odds,
    old_bits,
    setup_of,
    states,
)
from hf_llm.experiments.shared.short_run import SEARCH_SEED

FROZEN = ("scratch", "pretrained", "messages")  # whose frozen states are classified, too
NO_GAIN = 0.02  # by so much a classifier of shuffled labels may be above always naming the frequent class
CHANCE = 0.1  # so far from 0.5 its ranking may lie


def measure(study: Study) -> Tables:
    grid, setup = grid_of(study), setup_of(study)
    parts = tested_parts(grid)
    searches = [(start, rate, count) for start in STARTS for rate in grid.rates for count in grid.searched]
    runs = [(seed, start, count) for seed in study.seeds for start in STARTS for count in grid.counts]
    cells = iter(study.track([None] * (len(searches) + len(runs))))
    tried, labels, dealt, forgotten = [], [], [], []
    for start, rate, count in searches:
        next(cells)
        odds = log_odds(setup, start, classifier(setup, start, count, rate, SEARCH_SEED), parts["validation"])
        tried.append({"start": start, "rate": rate, "count": count, "seed": SEARCH_SEED}
                     | figures(odds, parts["validation"].labels))  # fmt: skip
    rates = chosen({"label_rates": pd.DataFrame(tried)}).set_index("start")["rate"]
    for seed, start, count in runs:
        next(cells)
        model, described = classifier(setup, start, count, rates[start], seed), {"count": count, "seed": seed}
        scores = figures(log_odds(setup, start, model, parts["test"]), parts["test"].labels)
        labels.append({"setting": start, **described} | scores)
        if start in FROZEN and count == grid.counts[0]:
            labels += frozen(setup, start, seed, parts)
        if start == "pretrained" and count == grid.counts[-1]:
            untouched = model_of(setup, start, seed)
            forgotten.append(
                {"seed": seed, "before": old_bits(setup, start, untouched), "after": old_bits(setup, start, model)}
            )
            other = classifier(setup, start, count, rates[start], seed, deal=True)
            dealt.append({"seed": seed} | figures(log_odds(setup, start, other, parts["test"]), parts["test"].labels))
    list(cells)
    tables = {"label_rates": tried, "labels": labels, "shuffled_labels": dealt, "forgotten_by_spam": forgotten}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def tested_parts(grid: Grid) -> dict[str, LabelledTexts]:
    """Return the parts of the messages, the held-out ones with as many as the grid scores."""
    parts = dict(message_parts())
    for name in ("validation", "test"):
        parts[name] = draw_messages(parts[name], min(grid.tested, len(parts[name])), SPLIT_SEED)
    return parts


def chosen(tables: Tables) -> pd.DataFrame:
    """Return the rate of the highest F1 on the validation part for each start, and whether it is an edge."""
    return best(tables["label_rates"], "rate", "f1", by=["start"], largest=True)


def frozen(study: Study, start: str, seed: int, parts: dict[str, LabelledTexts]) -> list[dict]:
    """Return one row for each number of labels: logistic regression on the states of a model that is left as it was."""
    rows = []
    test = states(study, start, seed, parts["test"])  # (N, width)
    for count in grid_of(study).counts:
        messages = draw_messages(parts["train"], min(count, len(parts["train"])), seed)
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
        probe.fit(states(study, start, seed, messages), messages.labels)
        scores = figures(probe.decision_function(test), parts["test"].labels)
        rows.append({"setting": f"frozen_{start}", "count": count, "seed": seed} | scores)
    return rows


def findings(tables: Tables) -> list[Finding]:
    table, dealt, forgotten = tables["labels"], tables["shuffled_labels"], tables["forgotten_by_spam"]
    few, many = table["count"].min(), table["count"].max()

    def ahead(setting: str, other: str, count: int):
        """Return by how much F1 is higher, a value a seed."""
        first, second = (by_seed(table, "f1", setting=one, count=count) for one in (setting, other))
        return first - second

    return [
        above("general_helps_few", ahead("pretrained", "scratch", few)),
        above("general_helps_many", ahead("pretrained", "scratch", many)),
        above("unlabelled_helps_few", ahead("messages", "scratch", few)),
        above("unlabelled_helps_many", ahead("messages", "scratch", many)),
        above("unlabelled_over_general", ahead("messages", "pretrained", few)),
        above("english_over_portuguese", ahead("pretrained", "portuguese", few)),
        above("features_know", ahead("frozen_messages", "frozen_scratch", many)),
        above("tuning_over_frozen", ahead("pretrained", "frozen_pretrained", many)),
        below("shuffled_labels_fail", dealt["accuracy"] - dealt["base_rate"], NO_GAIN),
        within("shuffled_labels_rank_nothing", dealt["auc"] - 0.5, CHANCE),
        above("spam_forgets", forgotten["after"] - forgotten["before"], FORGOTTEN),
    ]


def by_labels(tables: Tables) -> pd.DataFrame:
    """Return the mean F1 of each setting, a column for each number of labels."""
    table = means(tables["labels"], ["setting", "count"], ["f1"]).pivot(index="setting", columns="count", values="f1")
    order = tables["labels"]["setting"].unique()
    return table.loc[order].rename(columns=lambda count: f"labels_{count}").reset_index().round(3)


def accuracy_by_labels(tables: Tables) -> pd.DataFrame:
    """Return the mean accuracy in the same form."""
    renamed = tables["labels"].drop(columns="f1").rename(columns={"accuracy": "f1"})
    return by_labels({"labels": renamed})


def draw(tables: Tables, say: Say) -> Figure:
    """F1 by the number of labels: all weights trained (left), frozen states (right)."""
    figure, ((left, right),) = new_figure(1, 2, width=5.2, height=3.8)
    for axis, keys in ((left, STARTS), (right, [f"frozen_{start}" for start in FROZEN])):
        curves(axis, tables["labels"], "count", "f1", "setting", say, keys=keys)
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks := sorted(tables["labels"]["count"].unique()), [str(tick) for tick in ticks])
        label(axis, say("figures.labels"), say("figures.f1"))
    right.sharey(left)
    return figure


FIGURES = {"few_labels": draw}
SUMMARIES = {"f1": by_labels, "accuracy": accuracy_by_labels}
