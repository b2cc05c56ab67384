"""Lab `regularization`, the charts, drawn from its tables."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from hf_llm.evaluation.charts import COLOURS, label, new_figure, style
from hf_llm.experiments.regularization.words import AXES, CHARTS, HEADINGS, NAMES, NONE, SIZES
from hf_llm.experiments.result import Chart, Language, Table
from hf_llm.experiments.seed_comparison import dots

CURVES = ("train_loss", "validation_loss", "validation_accuracy")
EFFECTS = ("gap", "test_accuracy", "gain")
BELOW_THE_LOWEST_END = 0.05  # of the curves of accuracy


def layers_chart(dropout: Table, norm: Table) -> Chart:
    """Draw what dropout and batch norm do to some units."""

    def draw(language: Language) -> Figure:
        figure, ((left, right),) = new_figure(1, 2, width=5.6)
        units = [row["unit"] for row in dropout.rows]
        left.bar([unit - 0.2 for unit in units], [row["before"] for row in dropout.rows], 0.4, color=COLOURS[5],
                 label=HEADINGS["before"][language])  # fmt: skip
        left.bar([unit + 0.2 for unit in units], [row["training"] for row in dropout.rows], 0.4, color=COLOURS[1],
                 label=HEADINGS["training"][language])  # fmt: skip
        left.set_ylim(0, 1.25 * max(row["training"] for row in dropout.rows))  # room for the legend
        for number, part in enumerate(("before", "after")):
            right.errorbar(
                [row["unit"] + 0.3 * number - 0.15 for row in norm.rows], [row[f"{part}_mean"] for row in norm.rows],
                [row[f"{part}_deviation"] for row in norm.rows], fmt="os"[number], ms=4, capsize=2,
                color=COLOURS[(5, 1)[number]], label=HEADINGS[("before", "training")[number]][language],
            )  # fmt: skip
        low, high = right.get_ylim()
        right.set_ylim(low, high + 0.2 * (high - low))
        label(left, HEADINGS["unit"][language], AXES["activation"][language], NAMES["dropout"][language])
        label(right, HEADINGS["unit"][language], AXES["activation"][language], NAMES["batch_norm"][language])
        for axis in (left, right):
            axis.legend(frameon=False, fontsize=8.5, loc="upper left", ncols=2)
        return figure

    return Chart(CHARTS["layers"], draw)


def curves_chart(curves: Table, stopping: Table) -> Chart:
    """Draw one row of panels a size; the pairs would be too many lines, and early stopping is none's beginning."""

    def draw(language: Language) -> Figure:
        sizes = list(dict.fromkeys(row["size"] for row in curves.rows))
        figure, axes = new_figure(len(sizes), len(CURVES))
        names = list(dict.fromkeys(row["name"] for row in curves.rows))
        for panels, size in zip(axes, sizes):
            for axis, quantity in zip(panels, CURVES):
                for number, name in enumerate(names):
                    rows = [row for row in curves.rows if row["size"] == size and row["name"] == name]
                    if rows:
                        steps = [row["step"] for row in rows]
                        axis.plot(steps, [row[quantity] for row in rows], lw=1.6, label=name[language], **style(number))
                        low, high = ([row[f"{quantity}_{end}"] for row in rows] for end in ("low", "high"))
                        axis.fill_between(steps, low, high, color=style(number)["color"], alpha=0.12, lw=0)
                kept = [row for row in stopping.rows if row["size"] == size]
                axis.plot([row["kept_step"] for row in kept], [row[quantity] for row in kept], "o", ms=7, mfc="none",
                          color=style(names.index(NONE))["color"], label=NAMES["early_stopping"][language])  # fmt: skip
                if quantity.endswith("loss"):
                    _logarithmic(axis)
                else:  # a net that learns slowly begins so low that the others could not be told apart
                    axis.set_ylim(bottom=min(line.get_ydata()[-1] for line in axis.lines) - BELOW_THE_LOWEST_END)
                label(axis, AXES["step"][language], AXES[quantity][language], SIZES[size][language], legend=False)
        axes[0, 0].legend(frameon=False, fontsize=8, loc="lower left")
        return figure

    return Chart(CHARTS["curves"], draw)


def _logarithmic(axis: Axes) -> None:
    """Make the y-axis logarithmic, with as many plain numbers on it as it has room for."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 3, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def effects_chart(summary: Table) -> Chart:
    """Draw gap, test accuracy and gain of every set of regularisers, one row of panels a size."""

    def draw(language: Language) -> Figure:
        sizes = list(dict.fromkeys(row["size"] for row in summary.rows))
        figure, axes = new_figure(len(sizes), len(EFFECTS))
        for line, size in zip(axes, sizes):
            rows = [row for row in summary.rows if row["size"] == size]
            for axis, quantity in zip(line, EFFECTS):
                dots(axis, rows, "name" if axis is line[0] else None, quantity, language)
                if quantity == "gain":
                    axis.axvline(0, color="black", lw=0.8)
                label(axis, AXES[quantity][language], "", SIZES[size][language], legend=False)
        return figure

    return Chart(CHARTS["effects"], draw)
