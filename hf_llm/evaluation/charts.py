"""The look of all charts, and the few kinds that most labs need. Words come in, figures go out.

Figures are made without pyplot, which keeps global state that several users of a web app would share.
"""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart with any colour vision; lines differ in their dashes too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C564B")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2)))


def new_figure(rows: int = 1, columns: int = 1, width: float = 4.6, height: float = 3.6) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes, shape (rows, columns), each `width` by `height` inches."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def style(number: int) -> dict:
    """Return colour and dashes of the `number`-th line."""
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}


def band(axis: Axes, x: Iterable[float], values, label: str, number: int) -> None:
    """Draw the mean over seeds with a band from least to greatest: `x` (n,), `values` (seeds, n), style `number`."""
    x, values = np.asarray(list(x)), np.asarray(values, dtype=np.float64)
    axis.plot(x, values.mean(axis=0), label=label, lw=1.8, **style(number))
    axis.fill_between(x, values.min(axis=0), values.max(axis=0), color=style(number)["color"], alpha=0.18, lw=0)


def label(axis: Axes, x: str, y: str, title: str | None = None, legend: bool = True) -> None:
    """Name the axes; decimal marks are left to the ticks."""
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    if title:
        axis.set_title(title, fontsize=10.5)
    if legend:
        axis.legend(frameon=False, fontsize=8.5)
