"""What dropout, L2, batch norm and early stopping achieve: each alone, in pairs, all four, and none.

Strengths are chosen by validation loss with a seed of their own; the test set is measured once a net.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from scipy.stats import spearmanr

from hf_llm.evaluation.charts import band
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Axes, Figure, dots, label, new_figure
from hf_llm.experiments.regularization import nets
from hf_llm.experiments.regularization.nets import ALL_FOUR, ALONE, FOUR, PAIRS, chosen_strengths, train_regularized
from hf_llm.experiments.shared.image_runs import ImageParts, on_test
from hf_llm.experiments.shared.short_run import SEARCH_SEED

SCORED = 5_000  # at most so many images of the validation and of the training part, at each evaluation
MOST = 0.5  # early stopping interrupts where it does so with more than this share of the seeds
NEAREST = 0.999  # a rank correlation of one has no Fisher transform
BELOW_THE_LOWEST_END = 0.05  # of the curves of accuracy


def measure(study: Study) -> Tables:
    """Choose each strength, then train every set of regularizers with every seed."""
    parts, grid = ImageParts.read(study.data, SCORED), study.pick(nets.QUICK, nets.FULL)
    searches = [
        (size, name, strength, SEARCH_SEED)
        for size, how in grid.sizes.items() for name, strengths in how.strengths.items() for strength in strengths
    ]  # fmt: skip
    cells = [(size, names, None, seed)
             for size, how in grid.sizes.items() for names in how.sets for seed in study.seeds]  # fmt: skip
    tried, curve_rows, rows = [], [], []
    for size, names, strength, seed in study.track([*searches, *cells]):
        setting = {"size": size, "regularizers": names, "seed": seed}
        if strength is not None:
            curve, _, _ = train_regularized(parts, grid, size, names, {names: strength}, seed)
            scores = {score: curve[-1][score] for score in ("validation_accuracy", "validation_loss")}
            tried.append({**setting, "strength": strength, **scores})
            continue
        strengths = chosen_strengths(pd.DataFrame(tried), size)
        curve, kept, task = train_regularized(parts, grid, size, names, strengths, seed)
        if names not in PAIRS:  # whose lines would be too many in a figure
            curve_rows += [{**setting, **record} for record in curve]
        rows.append({
            **setting, "images": len(task.images), "stopped_step": curve[-1]["step"],
            "last_step": grid.sizes[size].steps, **curve[kept], **on_test(task.model, parts),
        })  # fmt: skip
    return {"runs": pd.DataFrame(rows), "curves": pd.DataFrame(curve_rows), "strengths": pd.DataFrame(tried)}


def gains(runs: pd.DataFrame, size: str, names: str, over: str = "none") -> np.ndarray:
    """Return how many points of test accuracy `names` is above `over`, (seeds,)."""
    one, other = (by_seed(runs, "test_accuracy", size=size, regularizers=which) for which in (names, over))
    return 100 * (one - other)


def loss_decrease(runs: pd.DataFrame, size: str, names: str) -> np.ndarray:
    """Return by how many nats per image `names` has less test loss than no regularizer, (seeds,)."""
    return np.subtract(*(by_seed(runs, "test_loss", size=size, regularizers=which) for which in ("none", names)))


def best_alone(runs: pd.DataFrame, size: str, among: list[str] = ALONE) -> str:
    """Return the regularizer whose mean validation accuracy is greatest: the test that judges it has not chosen it."""
    rows = select(runs, size=size, regularizers=among).assign(kind="alone")
    return best(rows, "regularizers", "validation_accuracy", by=["kind"], largest=True)["regularizers"][0]


def findings(tables: Tables) -> list[Finding]:
    runs, found = tables["runs"], []
    for size in runs["size"].unique():
        single = [names for names in ALONE if names in set(runs.loc[runs["size"] == size, "regularizers"])]
        for names in [*single, ALL_FOUR]:
            key = "all_four" if names == ALL_FOUR else names
            found += [
                above(f"{size}_{key}_accuracy", gains(runs, size, names)),
                above(f"{size}_{key}_loss", loss_decrease(runs, size, names)),
            ]
        four_best = best_alone(runs, size, FOUR)
        found += [
            above(f"{size}_best_accuracy", gains(runs, size, best_alone(runs, size))),
            above(f"{size}_together", gains(runs, size, ALL_FOUR, over=four_best)),
            above(f"{size}_gap_tells", gap_tells(runs, size), scale="fisher"),
            exact(f"{size}_interrupts", interrupted(runs, size), MOST),
        ]
    return [
        above("few_weakest_loss", loss_decrease(runs, "few", weakest(runs))),
        above("fewer_images", gains(runs, "few", ALL_FOUR) - gains(runs, "all", ALL_FOUR)),
        exact("few_dropout_inside", beyond(tables["strengths"]), 0.0),
        exact("same_path", apart(tables["curves"]), 0.0, "within"),
        *found,
    ]


def weakest(runs: pd.DataFrame) -> str:
    """Return the regularizer that lowers the test loss least, with few images."""
    return min(ALONE, key=lambda names: loss_decrease(runs, "few", names).mean())


def beyond(tried: pd.DataFrame) -> float:
    """Return how much more validation loss the largest p has than the chosen one, with few images."""
    loss = select(tried, size="few", regularizers="dropout").set_index("strength")["validation_loss"]
    return float(loss[loss.index.max()] - loss[chosen_strengths(tried, "few")["dropout"]])


def gap_tells(runs: pd.DataFrame, size: str) -> np.ndarray:
    """Return the rank correlation of a small gap between the losses and test accuracy among one seed's nets."""
    correlations = []
    for _, rows in select(runs, size=size).groupby("seed"):
        gap, accuracy = rows["validation_loss"] - rows["train_loss"], rows["test_accuracy"]
        tied = 1 in (gap.nunique(), accuracy.nunique())  # no order to agree with
        correlations.append(0.0 if tied else -spearmanr(gap, accuracy).statistic)
    return np.clip(correlations, -NEAREST, NEAREST)


def interrupted(runs: pd.DataFrame, size: str) -> float:
    """Return the share of the seeds in which early stopping ends the training before its last step."""
    rows = select(runs, size=size, regularizers="early_stopping")
    return float((rows["stopped_step"] < rows["last_step"]).mean())


def apart(table: pd.DataFrame) -> float:
    """Return the largest difference in validation loss between early stopping and no regularizer until it stops."""
    key = ["size", "seed", "step"]
    stopped, plain = (select(table, regularizers=names) for names in ("early_stopping", "none"))
    both = stopped.merge(plain, on=key, suffixes=("", "_plain"), validate="one_to_one")
    return float((both["validation_loss"] - both["validation_loss_plain"]).abs().max())


def draw_effects(tables: Tables, say: Say) -> Figure:
    """What each set of regularizers changes against none: test loss and accuracy, a row of panels a size."""
    runs, key = tables["runs"], ["size", "seed"]
    plain = runs[runs["regularizers"] == "none"].set_index(key)[["test_loss", "test_accuracy"]]
    table = runs[runs["regularizers"] != "none"].join(plain, on=key, rsuffix="_none")
    table["loss"] = table["test_loss"] - table["test_loss_none"]
    table["accuracy"] = 100 * (table["test_accuracy"] - table["test_accuracy_none"])
    sizes = runs["size"].unique()
    figure, axes = new_figure(len(sizes), 2)
    for row, size in zip(axes, sizes):
        here = table[table["size"] == size]
        for axis, quantity in zip(row, ("accuracy", "loss")):
            dots(axis, here, quantity, "regularizers", say if axis is row[0] else None)
            axis.axvline(0, color="black", lw=0.8)
            label(axis, say(f"figures.effects.{quantity}"), "", say(f"names.{size}"), legend=False)
    return figure


def draw_curves(tables: Tables, say: Say) -> Figure:
    """Training loss, validation loss and accuracy by step; circles are the weights that early stopping keeps."""
    table = tables["curves"]
    sets = [names for names in table["regularizers"].unique() if names != "early_stopping"]
    sizes, quantities = table["size"].unique(), ("train_loss", "validation_loss", "validation_accuracy")
    figure, axes = new_figure(len(sizes), len(quantities))
    for row, size in zip(axes, sizes):
        here = table[(table["size"] == size) & (table["regularizers"].isin(sets))]
        # four that stop early have curves of different lengths; what all seeds reached is drawn
        reached = here.groupby(["regularizers", "step"])["seed"].transform("size") == here["seed"].nunique()
        kept = select(tables["runs"], size=size, regularizers="early_stopping")
        for axis, quantity in zip(row, quantities):
            for number, names in enumerate(sets):
                seeds = here[reached & (here["regularizers"] == names)].pivot_table(quantity, "seed", "step")
                if len(seeds):  # in the colour that it has with the other size
                    band(axis, seeds.columns, seeds.to_numpy(), say(f"names.{names}"), number)
            axis.plot(kept["step"], kept[quantity], "ko", ms=7, mfc="none", label=say("names.early_stopping"))
            if quantity.endswith("loss"):
                _logarithmic(axis)
            else:  # a net that learns slowly begins so low that the others could not be told apart
                axis.set_ylim(bottom=min(line.get_ydata()[-1] for line in axis.lines) - BELOW_THE_LOWEST_END)
            label(axis, say("figures.curves.step"), say(f"figures.curves.{quantity}"), say(f"names.{size}"), False)
    axes[0, 0].legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def _logarithmic(axis: Axes) -> None:
    """Make the y-axis logarithmic, with as many plain numbers on it as it has room for."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 3, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def summarise(tables: Tables) -> pd.DataFrame:
    """Means over the seeds at the weights that are kept; the gap is validation loss minus training loss."""
    runs = tables["runs"].assign(gap=tables["runs"]["validation_loss"] - tables["runs"]["train_loss"])
    columns = ["step", "train_loss", "validation_loss", "gap", "train_accuracy", "validation_accuracy", "test_loss",
               "test_accuracy"]  # fmt: skip
    return means(runs, ["size", "regularizers"], columns)


FIGURES = {"effects": draw_effects, "curves": draw_curves}
SUMMARIES = {"means": summarise, "strengths": lambda tables: tables["strengths"].drop(columns="seed")}
