"""The charts of `transformer-dropout`, drawn from its tables."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hf_llm.evaluation.charts import COLOURS, label, new_figure, style
from hf_llm.experiments.result import Chart, Language, Table
from hf_llm.experiments.seed_comparison import dots
from hf_llm.experiments.transformer_dropout.cells import Study
from hf_llm.experiments.transformer_dropout.sites import SETTINGS
from hf_llm.experiments.transformer_dropout.words import AXES, CAPTIONS, LINES, NONE, SETTING_NAMES
from hf_llm.experiments.words import shown

MODES = ("evaluation", "averaged", "training")


def make_charts(tables: dict[str, Table], study: Study) -> dict[str, Chart]:
    """Return all charts by name, in the order of the report."""
    rows = {name: table.rows for name, table in tables.items()}
    draws = {
        "curves": lambda language: curves(rows["curves"], study, language),
        "strength": lambda language: strength(rows["summary"], language),
        "gains": lambda language: gains(rows["summary"], language),
        "reported": lambda language: reported(rows["curves"], study, language),
        "modes": lambda language: modes(rows["modes"], study, language),
        "next_token": lambda language: next_token(rows["next_token"], language),
    }
    return {name: Chart(CAPTIONS[name], draw) for name, draw in draws.items()}


def curves(rows: list[dict], study: Study, language: Language) -> Figure:
    """Draw one panel a setting, with the model that drops nothing in each of them; the eighth panel is the legend."""
    figure, axes = new_figure(2, 4, width=3.5, height=2.9)
    for axis, setting in zip(axes.flat, SETTINGS):
        for number, p in enumerate((0.0, *study.probabilities)):
            line = [row for row in rows if row["p"] == p and row["setting"] in ("none", setting)]
            steps, colour = [row["step"] for row in line], COLOURS[number]
            axis.plot(steps, [row["validation"] for row in line], color=colour, lw=1.6, label=_p_is(p, language))
            axis.plot(steps, [row["train"] for row in line], "--", color=colour, lw=1.2)
            low, high = ([row[f"validation_{end}"] for row in line] for end in ("low", "high"))
            axis.fill_between(steps, low, high, color=colour, alpha=0.15, lw=0)
        axis.sharey(axes[0, 0])
        label(axis, AXES["step"][language], AXES["bits"][language], SETTING_NAMES[setting][language], legend=False)
    for part, dashes in (("validation", "-"), ("train", "--")):
        axes[0, 0].plot([], [], dashes, color="black", label=LINES[part][language])
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, loc="center left")
    return figure


def strength(rows: list[dict], language: Language) -> Figure:
    """Draw the best test and the last gap by p, one line a setting."""
    figure, axes = new_figure(1, 2, width=5.2, height=4)
    for axis, quantity in zip(axes[0], ("best_test", "gap")):
        _by_p(axis, rows, quantity, language)
        label(axis, AXES["p"][language], AXES[quantity][language], legend=quantity == "gap")
    return figure


def gains(rows: list[dict], language: Language) -> Figure:
    """Draw gain and gap of every setting at its picked p."""
    chosen = [row for row in rows if row["picked"]]
    figure, axes = new_figure(1, 2, width=5.2, height=3.4)
    for axis, quantity in zip(axes[0], ("gain", "gap")):
        dots(axis, chosen, "name" if quantity == "gain" else None, quantity, language)
        label(axis, AXES[quantity][language], "", legend=False)
    axes[0, 0].axvline(0, color="black", lw=0.8)
    (plain,) = (row for row in rows if row["setting"] == "none")
    axes[0, 1].axvline(plain["gap"], color="black", lw=0.8, ls="--", label=NONE[language])
    axes[0, 1].legend(frameon=False, fontsize=8.5, loc="upper center")
    return figure


def reported(rows: list[dict], study: Study, language: Language) -> Figure:
    """Draw what a training reports beside what the model knows, one panel a probability."""
    figure, axes = new_figure(1, len(study.probabilities), width=4.2)
    for axis, p in zip(axes[0], study.probabilities):
        line = [row for row in rows if row["setting"] == "all" and row["p"] == p]
        for number, name in enumerate(("train_dropping", "train", "validation")):
            steps = [row["step"] for row in line]
            axis.plot(steps, [row[name] for row in line], lw=1.6, label=LINES[name][language], **style(number))
        axis.sharey(axes[0, 0])
        label(axis, AXES["step"][language], AXES["bits"][language], _p_is(p, language), legend=axis is axes[0, 0])
    return figure


def modes(rows: list[dict], study: Study, language: Language) -> Figure:
    """Draw the cost in each mode at the middle p, and how much the dropping passes disagree by p."""
    figure, axes = new_figure(1, 3, width=4.8, height=4)
    middle = [row for row in rows if row["p"] == study.middle]
    places = range(len(middle))[::-1]  # from the top down
    for number, name in enumerate(MODES):
        values, text = [row[name] for row in middle], LINES[name][language]
        axes[0, 0].plot(values, places, "os^"[number], color=COLOURS[number], label=text)
    axes[0, 0].set_yticks(places, [row["name"][language] for row in middle])
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(5))
    label(axes[0, 0], AXES["bits"][language], "", _p_is(study.middle, language), legend=False)
    axes[0, 0].legend(frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    for axis, quantity in zip(axes[0, 1:], ("same_token", "spread")):
        _by_p(axis, rows, quantity, language)
        label(axis, AXES["p"][language], AXES[quantity][language], legend=False)
    axes[0, 2].legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def next_token(rows: list[dict], language: Language) -> Figure:
    """Draw the likeliest next tokens of one model a panel."""
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    figure, axes = new_figure(1, len(settings), width=2.9, height=3.6)
    for axis, setting in zip(axes[0], settings):
        line = [row for row in rows if row["setting"] == setting][::-1]
        places = range(len(line))
        axis.barh(places, [row["evaluation"] for row in line], color=COLOURS[5], alpha=0.6)
        for place, row in enumerate(line):
            axis.plot(row["passes"], [place] * len(row["passes"]), "o", ms=3, alpha=0.5, color=COLOURS[1])
            axis.text(-0.03, place, row["token"], ha="right", va="center", transform=axis.get_yaxis_transform())
        axis.set_yticks([])  # a token as a tick's label would have its point made a decimal comma
        axis.sharex(axes[0, 0])
        label(axis, AXES["probability"][language], "", SETTING_NAMES[setting][language], legend=False)
    figure.suptitle(f"…{rows[0]['before']} → ?", fontsize=10.5)
    return figure


def _by_p(axis: Axes, rows: list[dict], quantity: str, language: Language) -> None:
    """Draw `quantity` by p, one line a setting, all of which begin at the model that drops nothing."""
    for number, setting in enumerate(SETTINGS):
        line = [row for row in rows if row["setting"] in ("none", setting)]
        axis.plot([row["p"] for row in line], [row[quantity] for row in line], marker="o", ms=3.5, lw=1.5,
                  label=SETTING_NAMES[setting][language], **style(number))  # fmt: skip


def _p_is(p: float, language: Language) -> str:
    return f"p = {shown(p, language)}"
