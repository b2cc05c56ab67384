"""Intervals against values worked out elsewhere, and against what they promise."""

import math

import numpy as np
import pytest

from hf_llm.evaluation.intervals import bootstrap_interval, mean_interval, share_interval


def test_students_interval_of_five_values():
    # t(0.975, 4) = 2.776445; the deviation of 1..5 is sqrt(2.5)
    interval = mean_interval([1, 2, 3, 4, 5])
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert interval.mean == 3
    assert interval.bounds == pytest.approx((3 - half, 3 + half), abs=1e-5)


def test_it_holds_the_truth_nineteen_times_in_twenty():
    random = np.random.default_rng(0)
    inside = [low <= 0 <= high for low, high in (mean_interval(random.normal(size=5)).bounds for _ in range(4000))]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_a_single_value_says_nothing_about_its_spread():
    assert mean_interval([0.5]).bounds == (-math.inf, math.inf)


def test_wilsons_interval_is_the_published_one_and_stays_below_one():
    interval = share_interval(9, 10)  # Newcombe 1998, method 3
    assert interval.bounds == pytest.approx((0.5958, 0.9821), abs=1e-3)
    assert share_interval(10, 10).high == pytest.approx(1.0)
    assert share_interval(10, 10).low == pytest.approx(0.7225, abs=1e-3)


def test_the_bootstrap_of_a_few_values_is_narrower_than_students():
    values = [2.339, 2.354, 2.347, 2.347, 2.363]
    narrow, wide = bootstrap_interval(values), mean_interval(values)
    assert narrow.mean == pytest.approx(wide.mean)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert bootstrap_interval(values) == narrow
