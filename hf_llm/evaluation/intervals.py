"""How sure a mean over seeds, a share of correct answers, or a figure of one text is: 95 % intervals.

>>> mean_interval([1.0, 2.0, 3.0]).mean
2.0
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean and the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


def mean_interval(values) -> Interval:
    """Return the mean of independent runs with Student's t interval, right for a handful of seeds.

    For two settings that ran with the same seeds give the differences seed by seed: the pairing takes away what the
    seed does to both. A single value has an interval without bounds.
    """
    values = np.asarray(values, dtype=np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, -np.inf, np.inf)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(mean, mean - float(half), mean + float(half))


def bootstrap_interval(values, resamples: int = 10_000) -> Interval:
    """Return the mean with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    With five values it is narrower than it should be; `mean_interval` is the honest one there.
    """
    values = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(0).choice(values, (resamples, len(values))).mean(axis=1)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def block_bootstrap_interval(amounts, sizes, resamples: int = 2_000) -> Interval:
    """Return sum(amounts) / sum(sizes) of a series, with the interval that its length leaves open.

    It knows what varies within the series. Another chapter can be easier or harder throughout, which it cannot know.

    Neighbours in a text are alike, so blocks of consecutive items are drawn rather than items: circular blocks
    (Politis, Romano 1992) of √N items, which is long where there are many items and leaves √N blocks to vary.

    Args:
        amounts: What is added up, in reading order, such as each token's bits, (N,).
        sizes: What it is divided by, such as each token's bytes, (N,).
        resamples: Series that are drawn, with a fixed seed.
    """
    pairs = np.stack([amounts, sizes]).astype(np.float64)  # (2, N)
    number = pairs.shape[1]
    length = max(1, round(math.sqrt(number)))
    running = np.cumsum(np.concatenate([np.zeros((2, 1)), pairs, pairs[:, : length - 1]], axis=1), axis=1)
    blocks = running[:, length:] - running[:, :number]  # (2, N): the sum of the block that begins at each item
    random, drawn = np.random.default_rng(0), math.ceil(number / length)
    sums = np.stack([blocks[:, random.integers(number, size=drawn)].sum(axis=1) for _ in range(resamples)])
    with np.errstate(divide="ignore", invalid="ignore"):  # special tokens alone have no bytes
        low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        mean = pairs[0].sum() / pairs[1].sum()
    return Interval(float(mean), float(low), float(high))


def share_interval(correct: int, total: int) -> Interval:
    """Return a share of independent answers with Wilson's interval (1927), which stays between 0 and 1."""
    low, high = stats.binomtest(correct, total).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(correct / total, float(low), float(high))
