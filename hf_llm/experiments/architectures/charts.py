"""Lab `architectures`, the charts, drawn from its tables."""

from matplotlib.figure import Figure

from hf_llm.evaluation.charts import label, new_figure, style
from hf_llm.experiments.architectures.words import AXES, CHARTS, TITLES
from hf_llm.experiments.result import Chart, Language, Table
from hf_llm.experiments.seed_comparison import bars, dots


def families_chart(families: Table, equal_time: Table, throughput: Table) -> Chart:
    """Draw accuracy with equal parameters and in equal time, and speed, one line a family."""

    def draw(language: Language) -> Figure:
        figure, (axes,) = new_figure(1, 3, height=2.6)
        names = [row["name"] for row in equal_time.rows]
        panels = (
            ("families", [row for row in families.rows if row["name"] in names], "test_accuracy"),
            ("equal_time", equal_time.rows, "test_accuracy"),
            ("throughput", throughput.rows, "training"),
        )
        for axis, (panel, rows, quantity) in zip(axes, panels):
            dots(axis, rows, "name" if axis is axes[0] else None, quantity, language)
            label(axis, AXES[quantity][language], "", TITLES[panel][language], legend=False)
        axes[-1].set_xscale("log")
        return figure

    return Chart(CHARTS["families"], draw)


def shift_chart(shift: Table) -> Chart:
    """Draw accuracy against the shift, one line a net."""

    def draw(language: Language) -> Figure:
        figure, ((axis,),) = new_figure(width=6.4)
        for number, name in enumerate(dict.fromkeys(row["name"] for row in shift.rows)):
            rows = [row for row in shift.rows if row["name"] == name]
            pixels = [row["shift"] for row in rows]
            axis.plot(pixels, [row["moved_accuracy"] for row in rows], marker="o", ms=4, lw=1.6,
                      label=name[language], **style(number))  # fmt: skip
            low, high = ([row[f"moved_accuracy_{end}"] for row in rows] for end in ("low", "high"))
            axis.fill_between(pixels, low, high, color=style(number)["color"], alpha=0.15, lw=0)
        axis.set_xticks(pixels)
        label(axis, AXES["shift"][language], AXES["moved_accuracy"][language])
        return figure

    return Chart(CHARTS["shift"], draw)


def depth_chart(depth: Table) -> Chart:
    """Draw accuracy against the number of residual blocks, with and without shortcuts."""

    def draw(language: Language) -> Figure:
        figure, ((axis,),) = new_figure(width=5.6)
        for number, name in enumerate(dict.fromkeys(row["shortcuts_name"] for row in depth.rows)):
            rows = [row for row in depth.rows if row["shortcuts_name"] == name]
            values = [row["test_accuracy"] for row in rows]
            axis.errorbar([row["blocks"] for row in rows], values, bars(rows, "test_accuracy"), marker="o", ms=4,
                          capsize=3, lw=1.6,
                          label=name[language], **style(number))  # fmt: skip
        axis.set_xticks(sorted({row["blocks"] for row in depth.rows}))
        label(axis, AXES["blocks"][language], AXES["test_accuracy"][language])
        return figure

    return Chart(CHARTS["depth"], draw)


def relu_chart(activations: Table, recurrent: Table) -> Chart:
    """Draw the accuracy of LeNet-5 by activation, and of the recurrent nets."""

    def draw(language: Language) -> Figure:
        figure, (axes,) = new_figure(1, 2, width=5.6, height=2.6)
        for axis, (panel, table) in zip(axes, (("activations", activations), ("recurrent", recurrent))):
            dots(axis, table.rows, "name", "test_accuracy", language)
            label(axis, AXES["test_accuracy"][language], "", TITLES[panel][language], legend=False)
        return figure

    return Chart(CHARTS["relu"], draw)
