"""From a grey picture of a digit to its ink: the paper is taken off, whatever its light, and dust is left out.

    levels, light → evenly lit → a ground without strokes → how much of the ground's light the ink swallows

The ground is the picture with every stroke filled: a *closing*, as in Serra, "Image Analysis and Mathematical
Morphology" (1982), with the narrowest window at which the ink no longer changes.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from .digit_regions import bounds, closing, grown, label, smallest
from .digit_sheet import find_sheet, light

LOOK = (112, 400)  # pixels of the longer side in which ink is looked for: at least, at most
WINDOWS = (8, 4, 2)  # the window is the longer side divided by these
FAINTEST = 0.06  # of the ground's light; less is shade
INK = 0.4  # of the darkest ink
STANDS_OUT = 3  # spreads of the ground; noise has 2, a digit on a dim photo 35


class EmptyPicture(ValueError):
    """There is no ink in the picture."""

    def __init__(self):
        super().__init__("the picture is empty, nothing on it stands out from its ground; pass a picture of one digit")


class SeveralDigits(ValueError):
    """There are several digits, `count` of them."""

    def __init__(self, count: int):
        super().__init__(f"the picture shows {count} figures beside or above each other; pass one digit per picture")
        self.count = count


def find_ink(grey: np.ndarray) -> np.ndarray:
    """Return the ink of the one digit in a picture, 0 to 1, cut out and with a margin.

    Args:
        grey: Levels 0 to 255, (H, W), dark on light or light on dark.

    Raises:
        EmptyPicture: When there is no ink.
        SeveralDigits: When there are several digits.
    """
    levels = _cut_out(_scaled(grey))
    if np.ptp(levels) < FAINTEST * 128:
        raise EmptyPicture
    lit = _evenly_lit(levels)
    before = None
    for part in WINDOWS:
        ink = _ink_of(lit, 2 * (max(lit.shape) // part // 2) + 1)
        if before is not None and len(ink.boxes) and _alike(ink.mask, before):
            break
        before = ink.mask if len(ink.boxes) else None
    if not len(ink.boxes) or _is_noise(ink):
        raise EmptyPicture
    count = _digits(ink.boxes)
    if count > 1:
        raise SeveralDigits(count)

    full = np.median(ink.density[ink.mask & (ink.density > 0.6 * ink.density[ink.mask].max())])
    levels = np.clip((ink.density / full - 0.15) / 0.75, 0, 1)  # paper to 0, the inside of strokes to 1
    return np.pad(levels * grown(ink.mask, 2), 1)[bounds(grown(np.pad(ink.mask, 1), 1))]


def _scaled(grey: np.ndarray) -> np.ndarray:
    """Return a picture of a size to work with, its shape kept."""
    picture, (least, most) = Image.fromarray(grey), LOOK
    if max(grey.shape) < least:
        size = [max(1, round(side * least / max(grey.shape))) for side in picture.size]
        return np.asarray(picture.resize(size, Image.Resampling.BICUBIC), dtype=float)
    return np.asarray(picture.reduce(-(-max(grey.shape) // most)), dtype=float)


def _cut_out(levels: np.ndarray) -> np.ndarray:
    """Return the sheet alone where there is one, what is beside it in its corners painted over as its light goes on."""
    sheet = find_sheet(levels)
    if sheet is None:
        return levels
    inner = grown(sheet, -max(1, round(0.012 * max(levels.shape))))  # without its edge
    if not inner.any():
        return levels
    place = bounds(inner)
    return np.where(inner[place], levels[place], light(levels[place], inner[place]))


def _evenly_lit(levels: np.ndarray) -> np.ndarray:
    """Return levels as a share of the ground's light, the ground about 1 and ink below it.

    Ink may be the dark or the light: it is what differs from the light of the border *and* is narrow. The third power
    asks for strong ink rather than for much.
    """
    ground, window = light(levels), 2 * (max(levels.shape) // 4) + 1
    dark = np.minimum(closing(levels, window) - levels, np.maximum(ground - levels, 0))
    bright = np.minimum(levels + closing(-levels, window), np.maximum(levels - ground, 0))
    if (bright**3).sum() > (dark**3).sum():
        levels, ground = 255 - levels, 255 - ground
    return (np.maximum(levels, 1) / np.maximum(ground, 8)).astype(np.float32)


class _Ink(NamedTuple):
    density: np.ndarray  # (H, W), 0 to 1
    mask: np.ndarray  # (H, W)
    boxes: np.ndarray  # of its pieces, (pieces, 4): top, left, bottom, right
    dust: int  # pixels as dark, within the picture, that belong to no piece


def _ink_of(lit: np.ndarray, window: int) -> _Ink:
    """Return the ink that is narrower than a window."""
    smooth = lit
    if min(lit.shape) >= 80:  # a single pixel is noise there
        blurred = Image.fromarray((lit * 127).clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
        smooth = np.asarray(blurred, dtype=np.float32) / 127
    ground = np.maximum(closing(smooth, window), 1e-3)
    density, sure = (np.clip(1 - each / ground, 0, 1) for each in (lit, smooth))
    darkest = sure.max()
    labels, boxes = label(sure > max(INK * darkest, FAINTEST / 2))

    # a stroke has a sharp edge, a shade has not
    edge = sure - smallest(sure, 2 * max(1, round(0.04 * max(lit.shape))) + 1)
    sharpest, most = np.zeros(len(boxes) + 1), np.full(len(boxes) + 1, FAINTEST)
    inked = labels > 0
    np.maximum.at(sharpest, labels[inked], edge[inked])
    np.maximum.at(most, labels[inked], sure[inked])
    sizes = boxes[:, 2:] - boxes[:, :2]  # (pieces, 2)
    longest, thin = sizes.max(axis=1, initial=0), 0.05 * max(lit.shape)
    reached = np.stack([boxes[:, :2] == 0, boxes[:, 2:] == lit.shape])  # (2, pieces, 2): which sides of the picture
    inside = ~reached.any(axis=(0, 2))
    ruled = (reached.all(axis=0) & (sizes[:, ::-1] < thin)).any(axis=1) & (min(lit.shape) > 4 * thin)  # from end to end
    good = (sharpest > 0.5 * most)[1:] & (longest >= max(3, thin)) & ~ruled & (darkest > FAINTEST)
    if (good & inside).any():  # what reaches the border is a frame, or a neighbour cut off, unless there is only that
        good &= inside
    good &= longest >= 0.15 * longest[good].max(initial=0)
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)[1:]
    return _Ink(density, np.append(False, good)[labels], boxes[good], areas[inside & ~good].sum())


def _alike(ink: np.ndarray, before: np.ndarray) -> bool:
    """Say whether a wider window has found the same ink."""
    places = np.array([[[side.start, side.stop] for side in bounds(each)] for each in (ink, before)])  # (2, 2, 2)
    near = np.abs(places[0] - places[1]).max() <= max(1, 0.05 * np.diff(places[0]).max())
    return bool(near and ink.sum() < 1.1 * before.sum())


def _is_noise(ink: _Ink) -> bool:
    """Say whether what was found is of the ground's noise: strewn all over it, or hardly above it."""
    ground = ink.density[~ink.mask]
    if ink.dust > ink.mask.sum() or not len(ground):
        return True
    middle = np.median(ground)
    spread = 1.4826 * np.median(np.abs(ground - middle))  # as a standard deviation
    return bool(ink.density[ink.mask].mean() - middle < STANDS_OUT * spread)


def _digits(boxes: np.ndarray) -> int:
    """Return how many digits there are: pieces at least half as high as the highest that stand beside each other.

    A stroke above another, as the bar of a 5, belongs to it where the gap is small.
    """
    tall = (boxes[:, 2] - boxes[:, 0]).max()
    boxes = boxes[boxes[:, 2] - boxes[:, 0] >= 0.5 * tall]
    digit = np.arange(len(boxes))
    for i, box in enumerate(boxes):
        gaps = np.maximum(box[:2], boxes[:i, :2]) - np.minimum(box[2:], boxes[:i, 2:])  # (i, 2): rows, columns
        for j in np.flatnonzero((gaps < 0.08 * tall).all(axis=1)):
            digit[digit == digit[i]] = digit[j]
    return len(set(digit))
