"""Calibration of answers whose truth is known."""

import numpy as np
import pytest

from hf_llm.evaluation.calibration import calibration


def answers(sure: float, right: int, wrong: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers of a model of two classes that always says class 0."""
    probabilities = np.tile([sure, 1 - sure], (right + wrong, 1))
    return probabilities, np.repeat([0, 1], [right, wrong])


def test_as_sure_as_right_is_no_error():
    assert calibration(*answers(0.75, 75, 25)).error == pytest.approx(0)


def test_the_error_is_the_distance_of_confidence_and_accuracy():
    bins = calibration(*answers(0.95, 60, 40))
    assert bins.error == pytest.approx(0.35)
    assert bins.count.tolist() == [100]


def test_bins_are_weighted_by_their_answers():
    first, second = answers(0.95, 10, 0), answers(0.65, 0, 30)
    probabilities, labels = (np.concatenate(pair) for pair in zip(first, second))
    assert calibration(probabilities, labels).error == pytest.approx((10 * 0.05 + 30 * 0.65) / 40)


def test_a_probability_of_one_has_a_bin():
    assert calibration(*answers(1.0, 5, 0)).count.sum() == 5
