"""Curves as an SVG that Python writes: it follows the theme and needs no script, and its labels are translated.

`gr.LinePlot` would be the library for it: half a megabyte a page, axis titles that no reader's language reaches, and a
canvas that a screen reader passes over.

>>> chart = line_chart([Line("p = 0", [(0, 2.3), (10, 0.4)])], "Loss by step", "step", "loss", "en")
>>> chart.count("<polyline"), "Loss by step" in chart
(2, True)
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from hf_llm.app.views import savable
from hf_llm.texts import Language, number

WIDTH, HEIGHT = 460, 290
RIGHT, TOP, BOTTOM = 20, 32, 46  # of the plotting area; on the left it leaves room for the longest number
LETTER = 8.6  # width, at the size that style.css gives on a telephone
COLOURS = 4  # that style.css has, .line-0 to .line-3


@dataclass(frozen=True)
class Line:
    """A named curve. `colour` is 0 to 3; curves that share one are told apart by `dashed`."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False


def line_chart(
    lines: Sequence[Line], caption: str, x_label: str, y_label: str, lang: Language, log: bool = False
) -> str:
    """Return a figure of curves over one axis, with a legend.

    Args:
        lines: The curves; values that are not finite, or not above 0 on a logarithmic axis, are left out.
        caption: What one sees.
        x_label, y_label: What the axes are, with the unit.
        lang: Of the numbers.
        log: Whether the vertical axis is logarithmic.
    """
    height = math.log10 if log else float
    kept = [
        [(x, height(y)) for x, y in line.points if math.isfinite(y) and (y > 0 or not log)] for line in lines
    ]  # fmt: skip
    xs, ys = ([point[axis] for points in kept for point in points] for axis in (0, 1))
    low_x, high_x = _span(xs)
    low_y, high_y = _span(ys)
    ticks = {tick: _short(tick, lang, log) for tick in _ticks(low_y, high_y, whole=log)}
    left = left_of(ticks.values())

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x - low_x) / (high_x - low_x) * (WIDTH - left - RIGHT),
            HEIGHT - BOTTOM - (y - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM),
        )

    marks = []
    for tick, shown in ticks.items():
        _, y = at(low_x, tick)
        marks.append(f'<path class="grid" d="M{left:.1f} {y:.1f}H{WIDTH - RIGHT}"/>')
        marks.append(f'<text x="{left - 6:.1f}" y="{y + 5:.1f}" text-anchor="end">{shown}</text>')
    for tick in _ticks(low_x, high_x):
        x, _ = at(tick, low_y)
        marks.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{_short(tick, lang)}</text>')
    marks.append(f'<text x="{(left + WIDTH) / 2:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    marks.append(f'<text x="0" y="16">{escape(y_label)}</text>')  # upright and above, where no number comes near it
    for line, points in zip(lines, kept, strict=True):
        positions = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        marks.append(f'<polyline class="{_style(line)}" points="{positions}"/>')
        if len(points) == 1:
            x, y = at(*points[0])
            marks.append(f'<circle class="{_style(line)}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
    legend = "".join(
        f'<li><svg width="36" height="12" aria-hidden="true"><polyline class="{_style(line)}" points="0,6 36,6"/></svg>'
        f"<bdi>{escape(line.name)}</bdi></li>"
        for line in lines
    )
    return savable(
        f'<figure class="chart"><figcaption>{escape(caption)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(caption)}">{"".join(marks)}</svg>'
        f'<ul class="legend">{legend}</ul></figure>',
        lang,
    )


def left_of(numbers: Iterable[str]) -> float:
    """Return where the plotting area begins, right of the numbers of its axis."""
    return 10 + LETTER * max(map(len, numbers), default=1)


def _style(line: Line) -> str:
    return f"line-{line.colour % COLOURS}{' dashed' if line.dashed else ''}"


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Return about five round numbers from `low` to `high`; of a logarithmic axis, whole powers of ten."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (step * factor) <= 6)
    if whole:
        step = max(1, round(step))
    ticks = [position * step for position in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return ticks or [low, high]


def _short(tick: float, lang: Language, log: bool = False) -> str:
    return number(10.0**tick if log else float(tick), lang)
