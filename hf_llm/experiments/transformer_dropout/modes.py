"""Modes: what dropping does to the predictions of the trained models, in training mode and in evaluation mode."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select
from hf_llm.experiments.frame.charts import COLOURS, Figure, curves, label, name_of, new_figure
from hf_llm.experiments.transformer_dropout.places import by_p, middle
from hf_llm.experiments.transformer_dropout.sites import SETTINGS

SAME_MODE = 1e-9  # bits per byte between the modes of a model without dropout: rounding
ROW_OFF = 1e-5  # from 1, for the sum of one token's attention weights: rounding
MEAN_OF_ROWS = 0.01  # from 1, for the mean sum of attention weights: more than five of its standard errors


def measure(study: Study) -> Tables:
    """Nothing more: `places` looks at each of its models in both modes before it lets it go."""
    return {}


def findings(tables: Tables) -> list[Finding]:
    curves, modes = tables["curves"], tables["modes"]
    p = middle(modes)
    least, most = modes.loc[modes["p"] > 0, "p"].agg(["min", "max"])
    last, first_half = curves["step"].max(), curves["step"] <= curves["step"].median()

    def mode(column: str, setting: str = "all", p: float = p) -> np.ndarray:
        return by_seed(modes, column, setting=setting, p=p)

    dropping = select(curves, setting="all", p=p, step=last)
    reported = select(curves[first_half], setting="all", p=most)
    above_validation = (reported["train_dropping"] - reported["validation"]).groupby(reported["seed"]).mean()
    modes_apart = np.abs(mode("training", "none", 0.0) - mode("evaluation", "none", 0.0)).max()
    found = [
        exact("evaluation_repeats", modes["repeated"].max(), 0.0, side="within"),
        exact("modes_agree_without", modes_apart, SAME_MODE, side="below"),
        above("training_reports_worse", dropping["train_dropping"] - dropping["train"]),
        above("reported_above_validation", above_validation),
        above("training_pass_worse", mode("training") - mode("evaluation")),
        above("evaluation_beats_average", mode("averaged") - mode("evaluation")),
        exact("rows_sum_to_one", mode("row_off", "attention").min(), ROW_OFF, side="below"),
        exact("rows_average_one", np.abs(mode("row_sum", "attention") - 1).max(), MEAN_OF_ROWS, side="below"),
    ]
    if most > least:
        agreement = mode("same_token", p=least) - mode("same_token", p=most)
        found.append(above("passes_disagree_more", 100 * agreement))
    return found


def draw_reported(tables: Tables, say: Say) -> Figure:
    """What a training reports beside what the model knows, dropout at all sites, one panel a probability."""
    table = select(tables["curves"], setting="all")
    names = ("train_dropping", "train", "validation")
    long = table.melt(["p", "seed", "step"], names, "measured", "bits")
    probabilities = sorted(table["p"].unique())
    figure, axes = new_figure(1, len(probabilities), width=4.2)
    for axis, p in zip(axes[0], probabilities):
        curves(axis, select(long, p=p), "step", "bits", "measured", say)
        axis.sharey(axes[0, 0])
        label(axis, say("figures.step"), say("figures.bits"), f"p = {name_of(p, say)}", legend=axis is axes[0, 0])
    return figure


def draw_modes(tables: Tables, say: Say) -> Figure:
    """The cost in each mode at the middle p, and how much the dropping passes disagree by p."""
    table = tables["modes"]
    p, places = middle(table), range(len(SETTINGS))[::-1]  # from the top down
    figure, axes = new_figure(1, 3, width=4.8, height=4)
    for number, mode in enumerate(("evaluation", "averaged", "training")):
        values = [select(table, setting=setting, p=p)[mode].mean() for setting in SETTINGS]
        axes[0, 0].plot(values, places, "os^"[number], color=COLOURS[number], label=name_of(mode, say))
    axes[0, 0].set_yticks(places, [name_of(setting, say) for setting in SETTINGS])
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(5))
    label(axes[0, 0], say("figures.bits"), "", f"p = {name_of(p, say)}", legend=False)
    axes[0, 0].legend(frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    for axis, column in zip(axes[0, 1:], ("same_token", "spread")):
        by_p(axis, table, column, say)
        label(axis, "p", say(f"figures.modes.{column}"), legend=False)
    axes[0, 2].legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def draw_next_token(tables: Tables, say: Say) -> Figure:
    """The likeliest next tokens of one model a panel: bars in evaluation mode, a dot for each dropping pass."""
    table = tables["next_token"]
    settings = table["setting"].unique()
    figure, axes = new_figure(1, len(settings), width=2.9, height=3.6)
    for axis, setting in zip(axes[0], settings):
        tokens = list(select(table, setting=setting).groupby("token", sort=False))[::-1]
        for place, (token, rows) in enumerate(tokens):
            axis.barh(place, rows["evaluation"].iloc[0], color=COLOURS[5], alpha=0.6)
            axis.plot(rows["training"], [place] * len(rows), "o", ms=3, alpha=0.5, color=COLOURS[1])
            axis.text(-0.03, place, token, ha="right", va="center", transform=axis.get_yaxis_transform())
        axis.set_yticks([])  # a token as a tick's label would have its point made a decimal comma
        axis.sharex(axes[0, 0])
        label(axis, say("figures.next_token.probability"), "", name_of(setting, say), legend=False)
    figure.suptitle(f"…{table['before'].iloc[0]} → ?", fontsize=10.5)
    return figure


FIGURES = {"reported": draw_reported, "modes": draw_modes, "next_token": draw_next_token}
