"""From measured values to a finding: one way for what must hold exactly, one for what is a mean over seeds.

>>> claim, measure = Words(pt="A perda cai.", en="The loss falls."), Words(pt="queda", en="fall")
>>> over_seeds((claim, measure), [0.4, 0.5, 0.6]).supported
'yes'
"""

from collections.abc import Iterable

from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.result import Finding, Words, verdict


def exact(said: tuple[Words, Words], value: float, holds: bool) -> Finding:
    """Return the finding of an identity, a count or an extreme: the same for every seed, or the worst of all seeds.

    Args:
        said: The claim and what is measured.
        value: The measured value.
        holds: Whether it makes the claim true.
    """
    return Finding(*said, float(value), None, "yes" if holds else "no")


def over_seeds(said: tuple[Words, Words], values: Iterable[float], threshold: float = 0.0) -> Finding:
    """Return the finding "the mean is above `threshold`", judged by its 95 % interval.

    Args:
        said: The claim and what is measured.
        values: One a seed; differences where two settings ran with the same seeds.
        threshold: What the claim says the mean exceeds.
    """
    interval = mean_interval(list(values))
    return Finding(*said, interval.mean, interval.bounds, verdict(interval.bounds, threshold))


def below(said: tuple[Words, Words], values: Iterable[float], threshold: float) -> Finding:
    """Return the finding "the mean is below `threshold`", as `over_seeds` does for "above"."""
    interval = mean_interval(list(values))
    return Finding(*said, interval.mean, interval.bounds, verdict((-interval.high, -interval.low), -threshold))
