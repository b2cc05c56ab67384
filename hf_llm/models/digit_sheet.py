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
EDGE = 3  # pixels on either side in which it turns from one to the other
LONGEST = 2.5  # sides' ratio: beyond it a filled rectangle is a thick 1


def light(levels: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Return how light the ground is (H, W): a surface of degree two through the border, or through `where`.

    A lamp at one side makes a slope, a lens a bowl. Ink that reaches the border is left out: the fit is Tukey's
    biweight, which gives no weight to what lies far off.
    """
    height, width = levels.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    surfaces = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)  # (H, W, 6)
    if where is None:
        where = ~grown(np.ones_like(levels, bool), -max(1, round(0.02 * max(levels.shape))))
    terms, values = surfaces[where], levels[where]
    fitted = np.full(len(values), np.median(values))
    for _ in range(10):
        off = values - fitted
        spread = max(1.4826 * np.median(np.abs(off)), 2.0)  # 1.4826: as a standard deviation
        weight = np.clip(1 - (off / (4 * spread)) ** 2, 0, None)  # the root of the biweight
        solution = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        fitted = terms @ solution
    return surfaces @ solution


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

    y, x = np.indices(mask.shape)
    rim = whole & ~grown(whole, -1)
    hull, area, sides = np.ones_like(mask), np.inf, (1.0, 1.0)
    for turn in TURNS:
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        lengths = []
        for place in (along, across):
            low, high = place[rim].min(), place[rim].max()
            hull &= (place > low - 0.01) & (place < high + 0.01)
            lengths.append(high - low + 1)
        if lengths[0] * lengths[1] < area:
            area, sides = lengths[0] * lengths[1], lengths
    if whole.sum() < RECTANGLE * area or max(sides) > LONGEST * min(sides) or hull.all():
        return None

    beside, within = grown(hull, EDGE) & ~hull, hull & grown(~hull, EDGE)
    step = abs(np.median(shades[within]) - np.median(shades[beside]))
    difference = abs(np.median(shades[hull]) - np.median(shades[~hull]))
    return hull if difference > 25 and step > 0.6 * difference else None  # a shadow has no such edge
