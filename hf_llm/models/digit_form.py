"""The forms that a digit's pixels have in a training, and how ink is brought to them.

MNIST: "The original black and white images were size normalized to fit in a 20x20 pixel box while preserving their
aspect ratio … centered in a 28x28 image by computing the center of mass of the pixels" (LeCun, Cortes, Burges).
scikit-learn's, as hf_llm.data.digits enlarges them: 24 pixels high, in the middle.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from .digit_regions import bounds

SIDE = 28
FINE = 4  # the pen is widened on so many times finer pixels
PEN = 2.5  # pixels: the middle one of MNIST's pens; a twentieth of its digits has less than 1.7


class Form(NamedTuple):
    """What a training's digits have in common."""

    box: int  # pixels of the longer side
    by_mass: bool  # whether the centre of mass is in the middle, or else that of the box


FORMS = {"mnist": Form(20, True), "digits": Form(24, False)}


def in_form(grey: np.ndarray, name: str) -> bool:
    """Say whether pixels (H, W) have the form called `name` already.

    All 70,000 of MNIST have theirs: the longer side of what is not 0 is 20 pixels (19 in 16 of them), and the centre of
    mass is within half a pixel of 14 in both directions. A digit that was moved by two pixels has it no more.
    scikit-learn's are 24 pixels high and made of blocks of 3×3.
    """
    if grey.shape != (SIDE, SIDE) or not grey.any():
        return False
    height, width = (place.stop - place.start for place in bounds(grey > 0))
    if name == "mnist":
        return max(height, width) in (19, 20) and max(abs(centre - SIDE / 2) for centre in _centre(grey)) < 0.53
    blocks = np.pad(grey[2:26:3, 2:26:3].repeat(3, 0).repeat(3, 1), 2)
    return height == 24 and np.array_equal(blocks, grey)


def form_of(images: np.ndarray) -> str:
    """Return the form that all images (N, H, W) have, or "any"."""
    return next((name for name in FORMS if all(in_form(image, name) for image in images)), "any")


def to_form(ink: np.ndarray, name: str) -> np.ndarray:
    """Return ink (H, W), 0 to 1, in the form called `name`: uint8 (28, 28)."""
    box, by_mass = FORMS[name]
    fine = _fit(ink, box * FINE)
    missing = PEN - _pen(fine) / FINE
    if missing > 0:  # too thin a pen would be grey where the training's is white
        fine = _fit(_widened(fine, missing * FINE / 2), box * FINE)
    height, width = (max(1, round(side / FINE)) for side in fine.shape)
    small = np.asarray(Image.fromarray(fine).resize((width, height), Image.Resampling.BOX))
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    if by_mass:
        places = [round(SIDE / 2 - centre) for centre in _centre(small)]
        top, left = (min(max(place, 0), SIDE - side) for place, side in zip(places, small.shape))
    digit = np.zeros((SIDE, SIDE), np.uint8)
    digit[top : top + height, left : left + width] = np.rint(small * 255)
    return digit


def _fit(ink: np.ndarray, longer: int) -> np.ndarray:
    """Return the ink alone with a longer side of so many pixels, fp32."""
    ink = ink[bounds(ink >= min(0.3, ink.max()))].astype(np.float32)
    size = [max(1, round(side * longer / max(ink.shape))) for side in ink.shape[::-1]]
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)


def _pen(ink: np.ndarray) -> float:
    """Return how wide the strokes are on average, in pixels: twice their area by their outline."""
    mask = np.pad(ink > 0.5, 1).astype(int)
    outline = (np.abs(np.diff(mask, axis=0)).sum() + np.abs(np.diff(mask, axis=1)).sum()) * np.pi / 4
    return 2 * mask.sum() / max(outline, 1)


def _widened(ink: np.ndarray, radius: float) -> np.ndarray:
    """Return strokes with `radius` pixels more on each side: the largest value within a disc."""
    reach = int(np.ceil(radius))
    padded = np.pad(ink, 2 * reach)
    height, width = (side + 2 * reach for side in ink.shape)
    wide = np.zeros((height, width), np.float32)
    for y, x in np.ndindex(2 * reach + 1, 2 * reach + 1):
        if (y - reach) ** 2 + (x - reach) ** 2 <= radius**2 + 0.25:
            np.maximum(wide, padded[y : y + height, x : x + width], out=wide)
    return wide


def _centre(levels: np.ndarray) -> tuple[float, float]:
    """Return the row and the column of the centre of mass; the first pixel's is 0."""
    levels = levels.astype(float)
    down, across = levels.sum(axis=1), levels.sum(axis=0)
    return float(down @ np.arange(len(down)) / down.sum()), float(across @ np.arange(len(across)) / across.sum())
