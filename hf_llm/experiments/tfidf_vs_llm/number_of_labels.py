"""Number of labels: accuracy, F1 and AUC of the methods on new messages, and how long each of them trained.

F1 needs a threshold, which few labels place badly; the AUC tells how well a method orders the messages, whatever it is.
"""

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, means, select, within
from hf_llm.experiments.frame.charts import Axes, Figure, curves, label, name_of, new_figure
from hf_llm.experiments.tfidf_vs_llm.methods import DIGITS, TRAINED
from hf_llm.experiments.tfidf_vs_llm.training import base_of, figures, grid_of, test_of, trained

SLOWER = 10  # times: from here on one is slower by another order of magnitude
NEAR = 3  # percentage points of F1: four of the spam messages of a test, and what lies closer is level


def measure(study: Study) -> Tables:
    """Train every method on every number of labels; zero-shot has none."""
    grid, base = grid_of(study), base_of(study)
    cells = [(name, count, steps) for name in (*TRAINED, DIGITS) for count, steps in grid.steps]
    cells += [("gpt2_zero_shot", 0, 0)]
    scores, times = [], []
    for seed, (name, count, steps) in study.track([(seed, cell) for seed in study.seeds for cell in cells]):
        test, described = test_of(seed, grid.test), {"method": name, "labels": count, "seed": seed}
        fitted = trained(name, base, count, steps, seed, False)
        scores.append(described | figures(fitted.method.scores(test.texts), test.labels))
        times.append(described | {"seconds": fitted.seconds})
    return {"scores": pd.DataFrame(scores), "training_time": pd.DataFrame(times)}


def few_and_all(table: pd.DataFrame) -> dict[str, int]:
    """Return the number of labels that stands for few, and the largest one."""
    counts = sorted(int(count) for count in table["labels"].unique() if count)
    return {"few": counts[len(counts) // 3], "all": counts[-1]}


def findings(tables: Tables) -> list[Finding]:
    table, times, counts = tables["scores"], tables["training_time"], few_and_all(tables["scores"])

    def ahead(one: str, other: str, labels: int, score: str = "f1"):
        """By how many percentage points of F1, or of AUC, one method is ahead of another, (seeds,)."""
        values = [by_seed(table, score, method=method, labels=labels) for method in (one, other)]
        return 100 * (values[0] - values[1])

    zero_shot = select(table, method="gpt2_zero_shot")
    finetuning, fitting = (
        by_seed(times, "seconds", method=method, labels=counts["all"]) for method in ("gpt2_finetuned", "tfidf_words")
    )
    return [
        above("words_level_all", ahead("tfidf_words", "gpt2_finetuned", counts["all"]), -NEAR),
        *(above(f"finetuned_over_{rival}_{share}", ahead("gpt2_finetuned", f"tfidf_{rival}", labels))
          for rival in ("words", "chars") for share, labels in counts.items()),
        within("words_order_as_well_few", ahead("tfidf_words", "gpt2_finetuned", counts["few"], "auc"), NEAR),
        above("chars_order_better_few", ahead("tfidf_chars", "gpt2_finetuned", counts["few"], "auc")),
        above("equal_digits_help_few", ahead("tfidf_chars", DIGITS, counts["few"])),
        above("plain_chars_order_better_few", ahead(DIGITS, "gpt2_finetuned", counts["few"], "auc")),
        above("features_over_words_all", ahead("gpt2_features", "tfidf_words", counts["all"])),
        above("zero_shot_beats_no", 100 * (zero_shot["accuracy"] - zero_shot["base_rate"])),
        above("training_slower", finetuning / fitting, SLOWER, scale="log", timed=True),
    ]  # fmt: skip


def at_all(tables: Tables) -> pd.DataFrame:
    """Return the methods with all labels: means over the seeds, in percent, and zero-shot with none."""
    table = tables["scores"]
    rows = select(table, labels=[0, few_and_all(table)["all"]])
    columns = ["accuracy", "f1", "recall", "auc"]
    summary = means(rows, ["method", "labels"], columns)
    summary[columns] *= 100
    return summary.round(1)


def draw_f1(tables: Tables, say: Say) -> Figure:
    """F1 by the number of labels, and the seconds that training took."""
    trained_ones = select(tables["scores"], method=list(TRAINED))
    figure, ((left, right),) = new_figure(1, 2, width=5.2, height=4)
    curves(left, trained_ones.assign(f1=100 * trained_ones["f1"]), "labels", "f1", "method", say, keys=TRAINED)
    zero_shot = 100 * select(tables["scores"], method="gpt2_zero_shot")["f1"].mean()
    left.axhline(zero_shot, color="black", lw=1, ls=":", label=say("names.gpt2_zero_shot"))
    curves(right, select(tables["training_time"], method=list(TRAINED)), "labels", "seconds", "method", say, TRAINED)
    right.set_yscale("log")
    for axis in (left, right):
        name_counts(axis, trained_ones, say)
    label(left, say("figures.labels"), say("figures.f1_axis"))
    label(right, say("figures.labels"), say("figures.seconds"), legend=False)
    return figure


def draw_accuracy(tables: Tables, say: Say) -> Figure:
    """Accuracy and the share of spam found, by the number of labels; dotted: always saying no."""
    table = tables["scores"]
    figure, axes = new_figure(1, 2, width=5.2, height=4)
    for axis, column, name in zip(axes[0], ("accuracy", "recall"), ("accuracy_axis", "recall")):
        rows = select(table, method=list(TRAINED))
        curves(axis, rows.assign(**{column: 100 * rows[column]}), "labels", column, "method", say, keys=TRAINED)
        name_counts(axis, rows, say)
        label(axis, say("figures.labels"), say(f"figures.{name}"), legend=column == "recall")
    axes[0, 0].axhline(100 * table["base_rate"].mean(), color="black", lw=1, ls=":")
    return figure


def name_counts(axis: Axes, table: pd.DataFrame, say: Say) -> None:
    """Let the horizontal axis grow by factors, with a tick at each number of labels."""
    counts = sorted(int(count) for count in table["labels"].unique())
    axis.set_xscale("log")
    axis.set_xticks(counts, [name_of(count, say) for count in counts])
    axis.minorticks_off()


FIGURES = {"f1": draw_f1, "accuracy": draw_accuracy}
SUMMARIES = {"at_all": at_all}
TIMED = {"training_time"}
