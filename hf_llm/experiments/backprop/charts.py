"""The charts of the lab `backprop`: the neuron as a picture, the loss curves, the gradient's way back."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import COLOURS, band, label, new_figure
from hf_llm.experiments.backprop.words import ACTIVATION_NAMES, PLACE_NAMES
from hf_llm.experiments.result import Language, Table, Words
from hf_llm.experiments.words import shown

FORWARD, BACKWARD = COLOURS[0], COLOURS[1]
# where the quantities stand in the picture of the neuron, and which one each of them leads to
POSITIONS = {"x1": (0, 4), "w1": (0, 3), "x2": (0, 2), "w2": (0, 1), "b": (0, 0), "z": (2, 2), "a": (4, 2), "L": (6, 2)}
NEXT = {"x1": "z", "w1": "z", "x2": "z", "w2": "z", "b": "z", "z": "a", "a": "L"}


def draw_neuron(table: Table, language: Language) -> Figure:
    """Draw each quantity as a box: its value above, the gradient of the loss by it below."""
    figure, ((axis,),) = new_figure(width=8.6, height=4.6)
    rows = {row["name"]: row for row in table.rows}
    for name, (x, y) in POSITIONS.items():
        row = rows[name]
        axis.text(
            x, y, f"  {name}  ", ha="center", va="center", fontsize=12, style="italic",
            bbox={"boxstyle": "round,pad=0.35", "fc": "white", "ec": "0.4"},
        )  # fmt: skip
        axis.text(x, y + 0.26, shown(row["value"], language), ha="center", va="bottom", fontsize=9.5, color=FORWARD)
        axis.text(x, y - 0.26, shown(row["gradient"], language), ha="center", va="top", fontsize=9.5, color=BACKWARD)
        if name in NEXT:
            _arrow(axis, (x, y), POSITIONS[NEXT[name]])
    for name, x in (("z", 2), ("a", 4), ("L", 6)):  # how each is computed, and the factor on the way back
        axis.text(x, 2.8, f"{name} = {rows[name]['formula']}", ha="center", fontsize=9.5, color=FORWARD)
    for name, x in (("z", 3), ("a", 5)):
        factor = f"∂{NEXT[name]}/∂{name} = {shown(rows[name]['local_derivative'], language)}"
        axis.text(x, 1.2, f"← × {factor}", ha="center", fontsize=9.5, color=BACKWARD)
    legend = Words(
        pt="em cima: valor (ida) · embaixo: ∂L/∂· (volta)", en="above: value (forward) · below: ∂L/∂· (backward)"
    )
    axis.text(4, 0.0, legend[language], ha="center", fontsize=9.5, color="0.3")
    axis.set_xlim(-0.6, 6.9)
    axis.set_ylim(-0.6, 4.6)
    axis.axis("off")
    return figure


def draw_losses(table: Table, language: Language) -> Figure:
    """Draw one line an activation, and on it circles where torch's own training stood."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.2)
    for number, (activation, rows) in enumerate(_by_activation(table).items()):
        steps, theirs = rows[0]["steps"], np.mean([row["torch_losses"] for row in rows], axis=0)
        band(axis, steps, [row["losses"] for row in rows], ACTIVATION_NAMES[activation][language], number)
        (circles,) = axis.plot(steps, theirs, "o", ms=5, mfc="none", mec="0.25")
    circles.set_label(Words(pt="autograd e SGD do PyTorch", en="autograd and PyTorch's SGD")[language])
    label(axis, Words(pt="passo", en="step")[language], Words(pt="perda (nats)", en="loss (nats)")[language])
    return figure


def draw_flow(table: Table, language: Language) -> Figure:
    """Draw the gradient's norm from the logits back to the input, one line an activation."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.2)
    for number, (activation, rows) in enumerate(_by_activation(table).items()):
        norms = [[row[place] for place in PLACE_NAMES] for row in rows]
        band(axis, range(len(PLACE_NAMES)), norms, ACTIVATION_NAMES[activation][language], number)
    axis.set_yscale("log")
    axis.set_xticks(range(len(PLACE_NAMES)), [name[language] for name in PLACE_NAMES.values()])
    way = Words(pt="de trás para a frente →", en="from the loss back →")
    label(axis, way[language], Words(pt="norma do gradiente", en="norm of the gradient")[language])
    return figure


def _arrow(axis: Axes, start: tuple, end: tuple) -> None:
    style = {"arrowstyle": "->", "color": "0.6", "shrinkA": 20, "shrinkB": 20}
    axis.annotate("", end, start, arrowprops=style, zorder=0)


def _by_activation(table: Table) -> dict[str, list[dict]]:
    groups = {}
    for row in table.rows:
        groups.setdefault(row["activation"], []).append(row)
    return groups
