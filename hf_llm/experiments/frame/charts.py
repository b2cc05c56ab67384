"""Four kinds of chart from a tidy table: curves, dots with intervals, scatter, heat map.

figure, axes = new_figure(1, 2)
curves(axes[0, 0], tables["race"], "step", "loss", "optimizer", say)
label(axes[0, 0], say("figures.race.step"), say("figures.race.loss"))
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import COLOURS, band, label, new_figure, style
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.frame.lab import Say
from hf_llm.texts import number as written

__all__ = ["COLOURS", "Axes", "Figure", "curves", "dots", "error_bars", "label", "name_of", "new_figure",
           "scatter", "style"]  # fmt: skip


def name_of(value, say: Say) -> str:
    """Return what a legend calls a setting: its text under `names.<value>`, or a number as the language writes it."""
    return say(f"names.{value}") if isinstance(value, str) else written(value, say.lang)


def curves(axis: Axes, table: pd.DataFrame, x: str, y: str, by: str, say: Say, keys: Iterable | None = None) -> None:
    """Draw `y` along `x`, a line for each value of `by`: the mean over the seeds, in a band from least to greatest.

    `x`, `y` and `by` are columns of `table`, beside `seed`; `names.<value>` is what the legend calls a value of `by`,
    and `keys` are those to draw, in their order: all where it is None.
    """
    for number, key in enumerate(table[by].unique() if keys is None else keys):
        seeds = table[table[by] == key].pivot_table(index="seed", columns=x, values=y, dropna=False)  # (seeds, x)
        band(axis, seeds.columns, seeds.to_numpy(), name_of(key, say), number)


def dots(axis: Axes, table: pd.DataFrame, value: str, by: str, say: Say | None, keys: Iterable | None = None) -> None:
    """Draw one line a setting, from the top down: the mean of `value` over the seeds as a dot, with its 95 % interval.

    Arguments as of `curves`; `say` is None where a panel to the left names the lines.
    """
    keys = list(table[by].unique() if keys is None else keys)
    means, sides = error_bars(table, value, by, keys)
    heights = np.arange(len(keys))[::-1]
    axis.errorbar(means, heights, xerr=sides, fmt="o", ms=4, capsize=3, lw=1.4, color=style(0)["color"])
    axis.set_yticks(heights, [name_of(key, say) if say else "" for key in keys])
    axis.set_ylim(-0.6, len(keys) - 0.4)


def error_bars(table: pd.DataFrame, value: str, by: str, keys: Iterable) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `value` for each of `keys`, (keys,), and the two sides of its 95 % interval, (2, keys)."""
    intervals = [mean_interval(table.loc[table[by] == key, value]) for key in keys]
    sides = np.array([[one.mean - one.low, one.high - one.mean] for one in intervals]).T
    # a single seed has no interval to draw
    return np.array([one.mean for one in intervals]), np.where(np.isfinite(sides), sides, 0)


def scatter(axis: Axes, table: pd.DataFrame, x: str, y: str, by: str, say: Say) -> None:
    """Draw one point a row, a colour for each value of `by`; columns as of `curves`, without seeds."""
    for number, key in enumerate(table[by].unique()):
        rows = table[table[by] == key]
        axis.plot(rows[x], rows[y], "o", ms=4, label=name_of(key, say), color=style(number)["color"])
