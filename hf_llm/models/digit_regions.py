"""Regions of a picture, in NumPy alone: what a window holds at most, and which pixels hang together.

SciPy's `ndimage` has both. This file travels with a published model, whose user may have no SciPy.
"""

import numpy as np


def largest(levels: np.ndarray, width: int) -> np.ndarray:
    """Return the largest value in the square window around each pixel (H, W); what lies outside counts for nothing.

    `width` is odd. Two overlapping windows make one of up to twice their width, so there are log2(width) steps.
    """
    for _ in ("columns", "rows"):
        reach = min(width // 2, len(levels))
        levels = np.pad(levels, ((reach, reach), (0, 0)), constant_values=-np.inf)
        done = 1
        while done < 2 * reach + 1:
            step = min(done, 2 * reach + 1 - done)
            levels = np.maximum(levels[:-step], levels[step:])
            done += step
        levels = np.ascontiguousarray(levels.T)
    return levels


def smallest(levels: np.ndarray, width: int) -> np.ndarray:
    """Return the smallest value in the window around each pixel, (H, W)."""
    return -largest(-levels, width)


def closing(levels: np.ndarray, width: int) -> np.ndarray:
    """Return the levels (H, W) with every dark place filled that no window of `width` pixels fits into."""
    return smallest(largest(levels, width), width)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Return a mask with so many pixels more on every side; negative numbers shrink it, from the border too."""
    if pixels < 0:
        return ~grown(np.pad(~mask, 1, constant_values=True), -pixels)[1:-1, 1:-1]
    return largest(mask.astype(np.float32), 2 * pixels + 1) > 0


def label(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pieces of a mask that hang together, diagonals included.

    Returns:
        (labels (H, W), 0 where the mask is not and 1, 2, … where it is; boxes (pieces, 4): top, left, bottom, right,
        the last two exclusive).
    """
    height, width = mask.shape
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)  # (H, W + 1): 1 begins a run, -1 ends it
    start, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)  # places in reading order, row by row
    row = start // (width + 1)

    # two runs of neighbouring rows touch where each begins no later than the other ends
    first = np.searchsorted(end, start + width + 1)
    count = np.maximum(np.searchsorted(start, end + width + 1, side="right") - first, 0)
    upper = np.repeat(np.arange(len(start)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
    touching = row[lower] == row[upper] + 1
    upper, lower = upper[touching], lower[touching]

    names, before = np.arange(len(start)), None  # each run takes the smallest name around it until none changes
    while before is None or not np.array_equal(names, before):
        before = names.copy()
        smaller = np.minimum(before[upper], before[lower])
        for place in (upper, lower, before[upper], before[lower]):
            np.minimum.at(names, place, smaller)
        names = names[names]
    names = np.unique(names, return_inverse=True)[1]

    steps = np.zeros(height * (width + 1) + 1, int)
    np.add.at(steps, start, names + 1)
    np.add.at(steps, end, -(names + 1))
    labels = np.cumsum(steps)[:-1].reshape(height, width + 1)[:, :width]

    boxes = np.full((names.max(initial=-1) + 1, 4), [height, width, 0, 0])
    left, right = start % (width + 1), end % (width + 1)
    for side, at, values in (
        (0, np.minimum, row),
        (1, np.minimum, left),
        (2, np.maximum, row + 1),
        (3, np.maximum, right),
    ):
        at.at(boxes[:, side], names, values)
    return labels, boxes


def filled(mask: np.ndarray) -> np.ndarray:
    """Return a mask together with its holes: everything that cannot be reached from outside of the picture."""
    labels, _ = label(np.pad(~mask, 1, constant_values=True))
    return (labels != labels[0, 0])[1:-1, 1:-1]


def bounds(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and the columns that a mask, not an empty one, lies in."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
