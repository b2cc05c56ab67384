"""Few labels: spam in SMS, by what a model begins with and by how many labelled messages it is shown."""

from functools import partial

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import PreTrainedModel

from hf_llm.data import LabelledTexts, draw_messages
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, means, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.pretrained_vs_finetuned.other_corpus import FORGOTTEN
from hf_llm.experiments.pretrained_vs_finetuned.starts import SPLIT_SEED, STARTS, message_parts, model_of
from hf_llm.experiments.pretrained_vs_finetuned.training import (
    Grid,
    classifier,
    figures,
    grid_of,
    lengths,
    log_odds,
    old_bits,
    setup_of,
    states,
)
from hf_llm.experiments.shared.short_run import SEARCH_SEED

FROZEN = ("scratch", "pretrained", "messages")  # whose frozen states are classified, too
LENGTH = "length"  # the classifier that knows of a message how long it is, and nothing else
DRAW = 100  # between the seeds of two draws of labelled messages: no other seed is among them


def measure(study: Study) -> Tables:
    grid, setup = grid_of(study), setup_of(study)
    parts = tested_parts(grid)
    controlled, last = grid.shares[1], grid.shares[-1]
    searches = {share: [(SEARCH_SEED + number, start, rate) for number in range(share.searches)
                        for start in share.starts for rate in share.rates] for share in grid.shares}  # fmt: skip
    runs = {share: [(seed, start, draw) for seed in study.seeds for start in share.starts
                    for draw in range(share.draws)] for share in grid.shares}  # fmt: skip
    cells = iter(study.track([None] * sum(map(len, [*searches.values(), *runs.values()]))))
    tried, labels, dealt, forgotten = [], [], [], []
    for share in grid.shares:
        described = {"count": share.count}
        for seed, start, rate in searches[share]:
            next(cells)
            odds = log_odds(setup, start, classifier(setup, start, share, rate, seed), parts["validation"])
            tried.append({"start": start, **described, "rate": rate, "seed": seed}
                         | figures(odds, parts["validation"].labels))  # fmt: skip
        if share.rates:
            found = chosen({"label_rates": pd.DataFrame(tried)})
            rates = select(found, count=share.count).set_index("start")["rate"]
        for seed, start, draw in runs[share]:
            next(cells)
            model = classifier(setup, start, share, rates[start], seed + DRAW * draw)
            labels.append(
                {"setting": start, **described, "seed": seed, "draw": draw} | scored(setup, start, model, parts)
            )
            if start == "pretrained" and share is controlled and draw == 0:
                other = classifier(setup, start, share, rates[start], seed, deal=True)
                dealt.append({"seed": seed, **described} | scored(setup, start, other, parts))
            if start == "pretrained" and share is last:
                bits = {"before": model_of(setup, start, seed), "after": model}
                forgotten.append({"seed": seed} | {when: old_bits(setup, start, each) for when, each in bits.items()})
    list(cells)
    labels += [row for seed in study.seeds for row in untrained(setup, seed, parts)]
    tables = {"label_rates": tried, "labels": labels, "shuffled_labels": dealt, "forgotten_by_spam": forgotten}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def tested_parts(grid: Grid) -> dict[str, LabelledTexts]:
    """Return the parts of the messages, the held-out ones with as many as the grid scores."""
    parts = dict(message_parts())
    for name in ("validation", "test"):
        parts[name] = draw_messages(parts[name], min(grid.tested, len(parts[name])), SPLIT_SEED)
    return parts


def scored(setup: Study, start: str, model: PreTrainedModel, parts: dict[str, LabelledTexts]) -> dict[str, float]:
    """Return how good a classifier is on the test part."""
    return figures(log_odds(setup, start, model, parts["test"]), parts["test"].labels)


def chosen(tables: Tables) -> pd.DataFrame:
    """Return the rate of the highest F1 on validation by start and number of labels, and whether it is an edge."""
    return best(tables["label_rates"], "rate", "f1", by=["start", "count"], largest=True)


def untrained(setup: Study, seed: int, parts: dict[str, LabelledTexts]) -> list[dict]:
    """Return what logistic regression makes of models that are left as they were, and of the length alone.

    A row for each of them, each number of labels and each draw.
    """
    readers = {f"frozen_{start}": partial(states, setup, start, seed if start == "scratch" else 0)
               for start in FROZEN} | {LENGTH: partial(lengths, setup)}  # fmt: skip
    drawn = [(share, number) for share in grid_of(setup).shares for number in range(share.draws)]
    rows = []
    for setting, read in readers.items():
        for share, draw in drawn:
            messages = share.messages(seed + DRAW * draw)
            probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
            probe.fit(read(messages), messages.labels)
            scores = figures(probe.decision_function(read(parts["test"])), parts["test"].labels)
            rows.append({"setting": setting, "count": share.count, "seed": seed, "draw": draw} | scores)
    return rows


def averaged(tables: Tables) -> pd.DataFrame:
    """Return the table of labels with one row a seed: the mean over the draws of labelled messages."""
    return means(tables["labels"], ["setting", "count", "seed"], ["f1", "accuracy", "auc", "base_rate"])


def findings(tables: Tables) -> list[Finding]:
    table, dealt, forgotten = averaged(tables), tables["shuffled_labels"], tables["forgotten_by_spam"]
    few, many = table["count"].min(), table["count"].max()
    told = select(tables["labels"], setting="pretrained", draw=0)  # with the labels that were shuffled

    def ahead(setting: str, other: str, count: int, score: str = "f1"):
        """Return by how much a score is higher, a value a seed."""
        first, second = (by_seed(table, score, setting=one, count=count) for one in (setting, other))
        return first - second

    return [
        above("general_helps_few", ahead("pretrained", "scratch", few)),
        above("general_helps_many", ahead("pretrained", "scratch", many)),
        above("unlabelled_helps_few", ahead("messages", "scratch", few)),
        above("unlabelled_helps_many", ahead("messages", "scratch", many)),
        above("unlabelled_over_general", ahead("messages", "pretrained", few)),
        above("english_over_portuguese", ahead("pretrained", "portuguese", few)),
        above("general_ranks_few", ahead("pretrained", "scratch", few, "auc")),
        above("unlabelled_ranks_few", ahead("messages", "scratch", few, "auc")),
        above("scratch_over_length", ahead("scratch", LENGTH, few, "auc")),
        above("features_know", ahead("frozen_messages", "frozen_scratch", many)),
        above("tuning_over_frozen", ahead("pretrained", "frozen_pretrained", many)),
        above("shuffled_labels_fail", by_seed(told, "auc", count=dealt["count"].iloc[0]) - by_seed(dealt, "auc")),
        above("spam_forgets", forgotten["after"] - forgotten["before"], FORGOTTEN),
    ]


def by_labels(tables: Tables, score: str = "f1") -> pd.DataFrame:
    """Return the mean of a score for each setting, a column for each number of labels."""
    table = means(averaged(tables), ["setting", "count"], [score])
    wide = table.pivot(index="setting", columns="count", values=score).loc[table["setting"].unique()].round(3)
    named = wide.rename(columns={count: f"labels_{count}" for count in wide} | {wide.columns[-1]: "labels_all"})
    return named.astype(object).where(named.notna(), None).reset_index()


def accuracy_by_labels(tables: Tables) -> pd.DataFrame:
    """Return the mean accuracy in the same form."""
    return by_labels(tables, "accuracy")


def ranking_by_labels(tables: Tables) -> pd.DataFrame:
    """Return the mean area under the ROC curve in the same form."""
    return by_labels(tables, "auc")


def draw(tables: Tables, say: Say) -> Figure:
    """F1 by the number of labels: all weights trained (left), what is left as it was (right)."""
    figure, ((left, right),) = new_figure(1, 2, width=5.2, height=3.8)
    table = averaged(tables)
    for axis, keys in ((left, STARTS), (right, [*(f"frozen_{start}" for start in FROZEN), LENGTH])):
        curves(axis, table, "count", "f1", "setting", say, keys=keys)
        for line in axis.get_lines():
            line.set(marker="o", markersize=4)  # not every start has every number of labels
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks := sorted(table["count"].unique()), [str(tick) for tick in ticks])
        label(axis, say("figures.labels"), say("figures.f1"))
        axis.set_ylim(0, 1)
    return figure


FIGURES = {"few_labels": draw}
SUMMARIES = {"f1": by_labels, "accuracy": accuracy_by_labels, "auc": ranking_by_labels}
