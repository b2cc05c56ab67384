"""Does a classifier that is 90 % sure err one time in ten?

Guo et al. 2017, "On calibration of modern neural networks": answers are binned by the probability of the predicted
class; in each bin the mean probability is compared with the share that is right.
"""

from typing import NamedTuple

import numpy as np


class Calibration(NamedTuple):
    """One value a bin that holds any answers, each of shape (bins,)."""

    confidence: np.ndarray  # mean probability of the predicted class
    accuracy: np.ndarray  # share of right answers
    count: np.ndarray  # answers in the bin
    error: float  # expected calibration error: the mean distance of the first two, weighted by the counts


def calibration(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> Calibration:
    """Bin a classifier's answers, (N, classes) with rows that sum to 1, in equal parts of the range from 0 to 1."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels  # (N,), (N,)
    which = np.minimum((confidence * bins).astype(int), bins - 1)  # a probability of 1 belongs to the last bin
    count = np.bincount(which, minlength=bins)
    filled = count > 0
    mean_confidence = np.bincount(which, confidence, minlength=bins)[filled] / count[filled]
    accuracy = np.bincount(which, right, minlength=bins)[filled] / count[filled]
    error = float(np.abs(mean_confidence - accuracy) @ count[filled] / len(labels))
    return Calibration(mean_confidence, accuracy, count[filled], error)
