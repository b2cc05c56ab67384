"""From measured values to a finding: a value, its 95 % interval, and on which side of a threshold they lie.

>>> above("loss_falls", [0.4, 0.5, 0.6], threshold=0.0).supported
'yes'

A finding has no text. `texts.yaml` of its experiment has one for each verdict, under `findings.<key>`, which is filled
from the finding itself: {value}, {interval}, {threshold}. So the threshold that judges is the one that is printed, and
a value that crosses it changes the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hf_llm.evaluation.intervals import mean_interval

Supported = Literal["yes", "no", "inconclusive"]
Side = Literal["above", "below", "within"]
Scale = Literal["linear", "log", "fisher", "logit"]

# scales on which a mean and its interval are computed, and the way back: an interval then stays where values can be
_SCALES: dict[Scale, tuple[Callable, Callable]] = {
    "linear": (lambda x: x, lambda x: x),
    "log": (np.log, np.exp),  # ratios, losses, norms: above 0
    "fisher": (np.arctanh, np.tanh),  # cosines and correlations: between -1 and 1
    "logit": (lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x))),  # shares: between 0 and 1
}


@dataclass(frozen=True)
class Finding:
    """A claim that was measured."""

    key: str  # its name in `texts.yaml` and result.json
    value: float  # that was measured: a mean over seeds, or an exact value
    interval: tuple[float, float] | None  # of 95 %, of the mean; None for a count, an identity, the worst case
    threshold: float  # what the claim compares the value with
    side: Side  # the claim: the value lies above the threshold, below it, or within ± it of zero
    timed: bool = False  # whether the value is a time or a memory, which another run does not give again

    @property
    def supported(self) -> Supported:
        """Whether the value, with all of its interval, lies on the side that the claim says."""
        low, high = self.interval or (self.value, self.value)
        limit = self.threshold
        match self.side:
            case "above":
                return "yes" if low > limit else "no" if high <= limit else "inconclusive"
            case "below":
                return "yes" if high < limit else "no" if low >= limit else "inconclusive"
            case "within":
                inside, outside = -limit <= low and high <= limit, high < -limit or low > limit
                return "yes" if inside else "no" if outside else "inconclusive"


def above(key: str, values, threshold: float = 0.0, scale: Scale = "linear", timed: bool = False) -> Finding:
    """Return the finding "the mean over the seeds is above `threshold`".

    `values` are one a seed: differences or ratios where two settings ran with the same seeds. On the scale "log" the
    mean is the geometric one of a ratio.
    """
    return Finding(key, *_mean(values, scale), threshold, "above", timed)


def below(key: str, values, threshold: float = 0.0, scale: Scale = "linear", timed: bool = False) -> Finding:
    """Return the finding "the mean over the seeds is below `threshold`"; arguments as of `above`."""
    return Finding(key, *_mean(values, scale), threshold, "below", timed)


def within(key: str, values, threshold: float, scale: Scale = "linear", timed: bool = False) -> Finding:
    """Return the finding "the mean over the seeds is at most `threshold` away from zero", arguments as of `above`."""
    return Finding(key, *_mean(values, scale), threshold, "within", timed)


def exact(key: str, value: float, threshold: float, side: Side = "above", timed: bool = False) -> Finding:
    """Return the finding of a value without an interval: an identity's error, a count, the worst of all seeds."""
    return Finding(key, float(value), None, threshold, side, timed)


def _mean(values, scale: Scale) -> tuple[float, tuple[float, float]]:
    to, back = _SCALES[scale]
    interval = mean_interval(to(np.asarray(values, dtype=np.float64)))
    value, low, high = (float(back(bound)) for bound in (interval.mean, interval.low, interval.high))
    return value, (low, high)
