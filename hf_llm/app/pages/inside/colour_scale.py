"""The one colour scale of the picture of a model: a number has the same shade at every place, head, layer and model.

Numbers run from hundredths in an embedding to hundreds in the stream, so the scale is logarithmic, in steps of 1, 2 and
5, and the shades can be counted: a legend of all of them fits in a line. At 1 the colour is full, beyond it goes over
into the colour of the text; weights of attention thus use the paler half, and 0.1 differs from 1.0 by three shades.

A cell is a unit square of an SVG; who draws it scales it. Cells of one shade are one path, which keeps a picture small.

>>> cells(torch.tensor([[0.0, 0.3, 0.3], [-2.0, 0.001, 70.0]]))
'<path class="below over" style="--n:8" d="M0 1h1v1h-1z"/><path style="--n:5" d="M1 0h2v1h-2z"/>\
<path class="over" style="--n:12" d="M2 1h1v1h-1z"/>'
"""

from bisect import bisect_right
from itertools import groupby
from typing import TYPE_CHECKING

from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    from torch import Tensor

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # where each shade begins
FULL = STEPS.index(1.0) + 1  # the shade with the full colour; style.css knows it
SWATCH, SWATCH_HEIGHT = 11, 10  # of the legend
OVERHANG = 8  # of the first number, which is wider than its swatch


def shade(value: float) -> int:
    """Return how many steps the absolute value has reached, negative below 0."""
    reached = bisect_right(STEPS, abs(value))
    return -reached if value < 0 else reached


def cells(values: "Tensor") -> str:
    """Return a matrix, shape (rows, columns), as paths of unit squares; what is below the first step stays clear."""
    squares: dict[int, list[str]] = {}
    for row, numbers in enumerate(values.tolist()):
        column = 0
        for level, run in groupby(map(shade, numbers)):
            width = len(list(run))
            if level:
                squares.setdefault(level, []).append(f"M{column} {row}h{width}v1h-{width}z")
            column += width
    return "".join(f'<path {_look(level)} d="{"".join(run)}"/>' for level, run in sorted(squares.items()))


def _look(level: int) -> str:
    """Return the attributes of which style.css makes a colour."""
    css = " ".join(name for name, given in (("below", level < 0), ("over", abs(level) > FULL)) if given)
    return (f'class="{css}" ' if css else "") + f'style="--n:{abs(level)}"'


def masked(T: int) -> str:
    """Return the cells of a (T, T) map that no token may see, those right of the diagonal, as one hatched path."""
    squares = "".join(f"M{row + 1} {row}h{T - row - 1}v1h-{T - row - 1}z" for row in range(T - 1))
    return f'<path class="masked" fill="url(#picture-hatch)" d="{squares}"/>'


def legend(x: float, y: float, lang: Language) -> tuple[str, float]:
    """Return all shades in a row with the numbers where they begin, then the hatch, at (x, y); and the width."""
    drawn, labels = [], []
    steps = [*range(-len(STEPS), 0), 0, *range(1, len(STEPS) + 1)]
    for place, level in enumerate(steps):
        left = x + OVERHANG + place * SWATCH
        look = _look(level) if level else 'class="clear"'
        drawn.append(f'<path {look} d="M{left} {y}h{SWATCH}v{SWATCH_HEIGHT}h-{SWATCH}z"/>')
        begins = STEPS[abs(level) - 1] if level else 0.0
        if begins in (0.0, 0.1, 1.0, 10.0, 100.0):
            value = number(-begins if level < 0 else begins, lang, ".4g")
            labels.append(f'<text x="{left + SWATCH / 2}" y="{y + 20}" text-anchor="middle">{value}</text>')
    left = x + OVERHANG + (len(steps) + 1) * SWATCH
    hatch = f'<path class="masked" fill="url(#picture-hatch-legend)" d="M{left} {y}h22v{SWATCH_HEIGHT}h-22z"/>'
    name = text("app.masked", lang)
    words = f'<text x="{left + 27}" y="{y + 9}">{name}</text>'
    return f'<g class="legend">{"".join(drawn)}{"".join(labels)}{hatch}{words}</g>', left + 27 + 7 * len(name) - x
