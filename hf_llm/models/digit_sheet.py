"""The light on a picture, and a sheet of paper in it that lies on something else: a desk, a frame, a wall.

>>> picture = np.full((100, 100), 20.0)  # dark
>>> picture[20:80, 30:90] = 240  # a sheet on it
>>> sheet = find_sheet(picture)
>>> bounds(sheet)
(slice(20, 80, None), slice(30, 90, None))
"""

import numpy as np
from PIL import Image, ImageFilter

from .digit_regions import bounds, filled, grown, label

LOOK = 128  # pixels of the longer side in which a sheet is looked for
TURNS = np.linspace(0, np.pi / 2, 45, endpoint=False)  # two degrees apart
RECTANGLE = 0.9  # of the smallest rectangle around it; a disc fills 0.79 of its square, a triangle 0.5
EDGE = 3  # pixels on either side by which it has turned from one to the other
LONGEST = 2.5  # sides' ratio: beyond it a filled rectangle is a thick 1


def light(levels: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Return how light the ground is (H, W): a surface of degree two through the border, or through `where`.

    A lamp at one side makes a slope, a lens a bowl. Ink that reaches the border is left out: the fit is Tukey's
    biweight, which gives no weight to what lies far off.
    """
    y, x = (np.linspace(-1, 1, side) for side in levels.shape)
    if where is None:
        where = ~grown(np.ones_like(levels, bool), -max(1, round(0.02 * max(levels.shape))))
    rows, columns = np.nonzero(where)
    some = slice(None, None, max(1, len(rows) // 1000))
    rows, columns = rows[some], columns[some]
    values, terms = levels[rows, columns], np.stack(_degree_two(y[rows], x[columns]), axis=-1)  # (points, 6)
    fitted = np.full(len(values), np.median(values))
    for _ in range(10):
        off = values - fitted
        spread = max(1.4826 * np.median(np.abs(off)), 2.0)  # 1.4826: as a standard deviation
        weight = np.clip(1 - (off / (4 * spread)) ** 2, 0, None)  # the root of the biweight
        solution = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        fitted = terms @ solution
    return sum(factor * term for factor, term in zip(solution, _degree_two(y[:, None], x[None])))


def _degree_two(y: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    return [np.ones_like(y * x), x + 0 * y, y + 0 * x, x * x + 0 * y, x * y, y * y + 0 * x]


def find_sheet(levels: np.ndarray) -> np.ndarray | None:
    """Return the mask (H, W) of a sheet in front of something else, or None.

    A sheet is a filled rectangle, turned or not, lighter or darker than what it lies on, with a sharp edge all round,
    or up to the picture's border if there is something on it.
    """
    times = -(-max(levels.shape) // LOOK)
    small = np.asarray(Image.fromarray(levels.clip(0, 255).astype(np.uint8)).reduce(times)).astype(float)
    found = None
    for shades in (small, np.clip(128 * small / np.maximum(light(small), 8), 0, 255)):  # as it is, and evenly lit
        shades = np.asarray(Image.fromarray(shades.astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5)))
        bright = shades > _threshold(shades)
        for mask in (bright, ~bright):
            sheet = _as_sheet(mask, shades.astype(float))
            if sheet is not None and (found is None or sheet.sum() < found.sum()):
                found = sheet
    if found is None:
        return None
    return found.repeat(times, 0).repeat(times, 1)[: levels.shape[0], : levels.shape[1]]


def _threshold(shades: np.ndarray) -> int:
    """Return the last level of the darker of two classes, as Otsu (1979) parts them."""
    shares = np.bincount(shades.ravel(), minlength=256) / shades.size
    darker, sums = np.cumsum(shares), np.cumsum(shares * np.arange(256))
    between = (sums[-1] * darker - sums) ** 2 / np.maximum(darker * (1 - darker), 1e-9)
    return int(between.argmax())


def _as_sheet(mask: np.ndarray, shades: np.ndarray) -> np.ndarray | None:
    """Return the largest piece of a mask as a sheet, without the notches where ink reaches its edge, or None."""
    labels, _ = label(mask)
    if labels.max() == 0:
        return None
    piece = labels == np.bincount(labels[mask]).argmax()
    whole = filled(piece)
    rows, columns = bounds(whole)
    reached = (rows.start == 0) + (columns.start == 0) + (rows.stop == len(mask)) + (columns.stop == mask.shape[1])
    on_it = 1 - piece.sum() / whole.sum()
    if whole.sum() < 0.1 * whole.size or reached == 4 or (reached and on_it < 0.002) or on_it > 0.45:
        return None

    rim, places = np.nonzero(whole & ~grown(whole, -1)), np.indices(mask.shape)
    turned = [_turned(*rim, turn) for turn in TURNS]  # of each two coordinates, (rim,)
    sides = min(([np.ptp(axis) + 1 for axis in axes] for axes in turned), key=np.prod)
    if whole.sum() < RECTANGLE * np.prod(sides) or max(sides) > LONGEST * min(sides):
        return None
    hull = np.ones_like(mask)
    for turn, axes in zip(TURNS, turned):
        for place, axis in zip(_turned(*places, turn), axes):
            hull &= (place > axis.min() - 0.01) & (place < axis.max() + 0.01)
    if hull.all():
        return None

    # a shadow has no such edge, and a stroke along it is not all of it: three quarters differ from three quarters
    within = shades[hull & grown(~hull, EDGE) & ~grown(~hull, 1)]
    beside = shades[~hull & grown(hull, EDGE) & ~grown(hull, 1)]
    if not (within.size and beside.size):
        return None
    step = max(np.quantile(a, 0.25) - np.quantile(b, 0.75) for a, b in ((within, beside), (beside, within)))
    difference = abs(np.median(shades[hull]) - np.median(shades[~hull]))
    return hull if difference > 25 and step > 0.5 * difference else None


def _turned(y: np.ndarray, x: np.ndarray, turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates along two axes that are turned by an angle."""
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
