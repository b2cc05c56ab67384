"""Lab `relu-depth`, the charts, drawn from its tables."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure, style
from hf_llm.experiments.relu_depth.cells import CUSTOMARY
from hf_llm.experiments.relu_depth.words import AXES, CHARTS, HEADINGS, RESCUES, TITLES
from hf_llm.experiments.result import Chart, Language, Table
from hf_llm.experiments.seed_comparison import bars, dots

COLOURS = {activation: number for number, activation in enumerate(CUSTOMARY)}  # the same in all charts


def start_chart(start: Table) -> Chart:
    """Draw the gradient by layer before training, with Xavier's weights and with He's."""

    def draw(language: Language) -> Figure:
        figure, (axes,) = new_figure(1, 2)
        for axis, weights in zip(axes, ("xavier", "he")):
            rows = [row for row in start.rows if (row["weights"], row["rescue"]) == (weights, "none")]
            _gradients(axis, rows, language)
            label(axis, AXES["layer"][language], AXES["gradient"][language], TITLES[weights][language])
        _share_limits(axes)
        return figure

    return Chart(CHARTS["start"], draw)


def rescued_start_chart(start: Table) -> Chart:
    """Draw the gradient by layer before training, with batch norm, with shortcuts and with both."""

    def draw(language: Language) -> Figure:
        rescues = [rescue for rescue in RESCUES if rescue != "none"]
        figure, (axes,) = new_figure(1, len(rescues), width=4.2)
        for axis, rescue in zip(axes, rescues):
            _gradients(axis, [row for row in start.rows if row["rescue"] == rescue], language)
            label(axis, AXES["layer"][language], AXES["gradient"][language], TITLES[rescue][language],
                  legend=axis is axes[0])  # fmt: skip
        _share_limits(axes)
        return figure

    return Chart(CHARTS["rescued_start"], draw)


def depth_chart(depth: Table) -> Chart:
    """Draw test accuracy by depth: the customary weights on the left, what differs from them on the right."""

    def draw(language: Language) -> Figure:
        figure, (axes,) = new_figure(1, 2, width=5.2)
        lines: dict[tuple, list[dict]] = {}
        for row in depth.rows:
            lines.setdefault((row["activation"], row["weights"], row["optimizer"]), []).append(row)
        customary = {
            line: rows for line, rows in lines.items() if CUSTOMARY[line[0]] == line[1] and line[2] == "sgd"
        }  # fmt: skip
        others = {line: rows for line, rows in lines.items() if line not in customary}
        for axis, shown, title in ((axes[0], customary, "customary"), (axes[1], others, "others")):
            for (activation, _, optimizer), rows in shown.items():
                name = f"{rows[0]['name'][language]}, {rows[0]['weights_name'][language]}"
                name += f", {rows[0]['optimizer_name'][language]}" if optimizer != "sgd" else ""
                depths = [row["depth"] for row in rows]
                axis.errorbar(depths, [row["test_accuracy"] for row in rows], bars(rows, "test_accuracy"), marker="o",
                              ms=4, capsize=3, lw=1.6, label=name, **style(COLOURS[activation]))  # fmt: skip
            axis.set_xscale("log")
            axis.set_xticks(depths, map(str, depths))
            axis.minorticks_off()
            axis.set_ylim(0, 1.02)
            label(axis, HEADINGS["depth"][language], AXES["test_accuracy"][language], TITLES[title][language])
        return figure

    return Chart(CHARTS["depth"], draw)


def training_chart(training: Table) -> Chart:
    """Draw the gradient by layer at each look into the deepest net, one panel an activation."""

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(2, 2, width=4.8, height=3.0)
        for axis, activation in zip(axes.flat, CUSTOMARY):
            rows = [row for row in training.rows if row["activation"] == activation]
            for number, row in enumerate(rows):
                _line(axis, row, f"{HEADINGS['step'][language]} {row['step']}", number)
            low, high = axis.get_ylim()
            axis.set_ylim(min(low, 1e-2), max(high, 1e2))  # the span of "neither vanished nor exploded" at least
            title = f"{rows[0]['name'][language]}, {rows[0]['weights_name'][language]}"
            label(axis, AXES["layer"][language], AXES["gradient"][language], title)
        return figure

    return Chart(CHARTS["training"], draw)


def dead_chart(depth: Table, training: Table) -> Chart:
    """Draw the share of dead units of the nets with ReLU and He's weights, by depth and by layer."""

    def draw(language: Language) -> Figure:
        figure, ((left, right),) = new_figure(1, 2)
        rows = [row for row in depth.rows if (row["activation"], row["weights"]) == ("relu", CUSTOMARY["relu"])]
        depths = [row["depth"] for row in rows]
        for number, (quantity, title) in enumerate((("dead", "start"), ("dead_after", "end"))):
            left.errorbar(depths, [row[quantity] for row in rows], bars(rows, quantity), marker="o", ms=4, capsize=3,
                          lw=1.6, label=TITLES[title][language], **style(number))  # fmt: skip
        left.set_xscale("log")
        left.set_xticks(depths, map(str, depths))
        left.minorticks_off()
        looks = [row for row in training.rows if row["activation"] == "relu"]
        for number, (row, title) in enumerate(((looks[0], "start"), (looks[-1], "end"))):
            layers = range(1, row["depth"] + 1)
            band(right, layers, row["dead_by_layer"], TITLES[title][language], number)
        right.xaxis.get_major_locator().set_params(integer=True)
        label(left, HEADINGS["depth"][language], AXES["dead"][language], TITLES["by_depth"][language])
        label(right, AXES["layer"][language], AXES["dead"][language], TITLES["deepest"][language])
        for axis in (left, right):
            axis.set_ylim(bottom=-0.02)
        return figure

    return Chart(CHARTS["dead"], draw)


def rescues_chart(rescues: Table) -> Chart:
    """Draw the deepest net's test accuracy, one panel a rescue, one line an activation."""

    def draw(language: Language) -> Figure:
        figure, (axes,) = new_figure(1, len(RESCUES), width=3.2, height=2.4)
        for axis, rescue in zip(axes, RESCUES):
            rows = [row for row in rescues.rows if row["rescue"] == rescue]
            dots(axis, rows, "name" if axis is axes[0] else None, "test_accuracy", language)
            axis.set_xlim(0, 1)
            label(axis, AXES["test_accuracy"][language], "", TITLES[rescue][language], legend=False)
        return figure

    return Chart(CHARTS["rescues"], draw)


def _gradients(axis: Axes, rows: list[dict], language: Language) -> None:
    for row in rows:
        _line(axis, row, row["name"][language], COLOURS[row["activation"]])


def _line(axis: Axes, row: dict, name: str, number: int) -> None:
    """Draw the gradient of one net's layers, which a row keeps as powers of ten, with a band over the seeds."""
    layers = range(1, len(row["layers"]) + 1)
    middle, low, high = (10.0 ** np.array(row[key]) for key in ("layers", "layers_low", "layers_high"))
    axis.plot(layers, middle, lw=1.8, label=name, **style(number))
    axis.fill_between(layers, low, high, color=style(number)["color"], alpha=0.18, lw=0)
    axis.set_yscale("log")
    axis.xaxis.get_major_locator().set_params(integer=True)


def _share_limits(axes) -> None:
    """Give all panels the same limits, so that they can be compared."""
    limits = [axis.get_ylim() for axis in axes]
    for axis in axes:
        axis.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
