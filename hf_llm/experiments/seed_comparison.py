"""Settings that ran with the same seeds, beside each other: entries of a table, differences, dots with intervals.

>>> with_bounds("accuracy", [0.9, 0.9])
{'accuracy': 0.9, 'accuracy_low': 0.9, 'accuracy_high': 0.9}
"""

import numpy as np
from matplotlib.axes import Axes

from hf_llm.evaluation.charts import style
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.result import Language, Words

DIGITS = 6  # after the point, in tables: the files are read by people, too
POINTS = Words(
    pt="acurácia no teste, diferença em pontos percentuais, pareada",
    en="test accuracy, difference in percentage points, paired",
)


def with_bounds(name: str, values) -> dict[str, float]:
    """Return the mean over the seeds and its 95 % interval as entries `name`, `name_low` and `name_high`."""
    interval = mean_interval(values)
    return {
        name: round(interval.mean, DIGITS),
        f"{name}_low": round(interval.low, DIGITS),
        f"{name}_high": round(interval.high, DIGITS),
    }


def accuracies_on_test(cells: list[dict]) -> np.ndarray:
    """Return the test accuracy of one net with every seed, (seeds,)."""
    return np.array([cell["test_accuracy"] for cell in cells])


def points(accuracies, baseline) -> np.ndarray:
    """Return accuracies minus those of the baseline, seed by seed, in percentage points."""
    return 100 * (np.asarray(accuracies) - np.asarray(baseline))


def bars(rows: list[dict], quantity: str) -> np.ndarray:
    """Return how far the interval of `quantity` reaches to either side, (2, rows), as `Axes.errorbar` takes it."""
    value, low, high = (
        np.array([row[f"{quantity}{end}"] for row in rows], dtype=np.float64) for end in ("", "_low", "_high")
    )
    sides = np.stack([value - low, high - value])
    return np.where(np.isinf(sides), 0, sides)  # a single seed has no interval to draw


def dots(axis: Axes, rows: list[dict], names: str | None, quantity: str, language: Language) -> None:
    """Draw one line a row, from the top down: `quantity` as a dot with its interval; without a value, nothing.

    Args:
        axis: Where to draw.
        rows: Records with `quantity`, `quantity`_low and `quantity`_high.
        names: The entry, a `Words`, that names the lines; None where a panel to the left does.
    """
    values = np.array([row[quantity] for row in rows], dtype=np.float64)
    places = np.arange(len(rows))[::-1]
    axis.errorbar(values, places, xerr=bars(rows, quantity), fmt="o", ms=4, capsize=3, lw=1.4, color=style(0)["color"])
    axis.set_yticks(places, [row[names][language] if names else "" for row in rows])
    axis.set_ylim(-0.6, len(rows) - 0.4)
