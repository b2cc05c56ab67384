"""Intervals against values worked out elsewhere, and against what they promise."""

import math

import numpy as np
import pytest

from hf_llm.evaluation.intervals import block_bootstrap_interval, bootstrap_interval, mean_interval, share_interval


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


def series(random: np.random.Generator, number: int, alike: float) -> np.ndarray:
    """Return values of mean 3, skewed as a text's surprise is, neighbours correlated by `alike`, (number,)."""
    shocks, values = random.exponential(size=number + 50) - 1, np.zeros(number + 50)
    for place in range(1, len(values)):
        values[place] = alike * values[place - 1] + shocks[place]
    return 3 + values[50:]


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.5])
def test_the_block_bootstrap_holds_the_truth_about_nineteen_times_in_twenty(alike):
    random, sizes = np.random.default_rng(0), np.ones(600)
    bounds = [block_bootstrap_interval(series(random, 600, alike), sizes, resamples=400).bounds for _ in range(400)]
    assert 0.90 < np.mean([low <= 3 <= high for low, high in bounds]) < 0.98


def test_without_blocks_correlated_neighbours_would_feign_certainty():
    values = series(np.random.default_rng(1), 2000, 0.7)
    blocks, items = block_bootstrap_interval(values, np.ones(2000)), bootstrap_interval(values, resamples=500)
    assert blocks.mean == pytest.approx(items.mean)
    assert blocks.high - blocks.low > 1.5 * (items.high - items.low)


def test_the_block_bootstrap_is_of_the_ratio_and_the_same_each_time():
    random = np.random.default_rng(2)
    sizes = random.integers(1, 9, 700)
    interval = block_bootstrap_interval(2.5 * sizes, sizes)  # the same ratio everywhere: nothing is uncertain
    assert tuple(interval) == pytest.approx((2.5, 2.5, 2.5))
    amounts = random.exponential(size=700) * sizes
    assert block_bootstrap_interval(amounts, sizes) == block_bootstrap_interval(amounts, sizes)
    assert block_bootstrap_interval(amounts, sizes).mean == pytest.approx(amounts.sum() / sizes.sum())
    assert block_bootstrap_interval([1.5], [1]).bounds == (1.5, 1.5)
