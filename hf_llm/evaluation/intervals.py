"""How sure a mean over seeds, or a share of correct answers, is: 95 % intervals.

>>> mean_interval([1.0, 2.0, 3.0]).mean
2.0
"""

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


def share_interval(correct: int, total: int) -> Interval:
    """Return a share of independent answers with Wilson's interval (1927), which stays between 0 and 1."""
    low, high = stats.binomtest(correct, total).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(correct / total, float(low), float(high))
