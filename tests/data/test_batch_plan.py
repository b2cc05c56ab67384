"""The order of samples: the same for any number of processes and micro-batches, and nobody left out."""

import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_llm.config import UserError
from hf_llm.data import BatchPlan, batch_plan

sizes = st.integers(1, 40)


def step_of(plan: BatchPlan, step: int) -> list[int]:
    """Return the sample numbers of a whole step, in the order of the line."""
    parts = itertools.product(range(plan.accumulation), range(plan.world_size))
    return [int(i) for micro_step, rank in parts for i in plan.indices(step, micro_step, rank)]


@st.composite
def plans(draw) -> BatchPlan:
    """Any plan that divides."""
    per_device, world_size, accumulation = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    total = per_device * world_size * accumulation
    return BatchPlan(draw(st.integers(1, 100)), total, per_device, world_size, draw(st.integers(0, 2**64)))


@given(plans(), st.integers(0, 10**6), st.data())
def test_a_batch_is_a_pure_function(plan, step, data):
    micro_step = data.draw(st.integers(0, plan.accumulation - 1))
    rank = data.draw(st.integers(0, plan.world_size - 1))
    answer = plan.indices(step, micro_step, rank)
    assert answer.shape == (plan.micro_batch_size,)
    assert answer.dtype.kind == "i"
    first = answer.copy()
    answer[:] = -1  # what a caller does with it, or asks in between, changes nothing
    plan.indices(step + 7, 0, 0)
    np.testing.assert_array_equal(plan.indices(step, micro_step, rank), first)
    batch_plan._order.cache_clear()
    again = BatchPlan(plan.samples, plan.total_batch_size, plan.per_device_batch_size, plan.world_size, plan.seed)
    np.testing.assert_array_equal(again.indices(step, micro_step, rank), first)


@given(plans())
@settings(max_examples=60)
def test_every_epoch_is_a_permutation_wherever_its_edge_falls(plan):
    epochs = 3
    steps = -(-epochs * plan.samples // plan.total_batch_size)
    line = [i for step in range(steps) for i in step_of(plan, step)]
    for epoch in range(epochs):
        assert sorted(line[epoch * plan.samples : (epoch + 1) * plan.samples]) == list(range(plan.samples))


@given(plans(), st.integers(0, 1000))
def test_processes_and_micro_batches_change_nothing_of_a_step(plan, step):
    alone = BatchPlan(plan.samples, plan.total_batch_size, plan.total_batch_size, seed=plan.seed)
    assert (alone.accumulation, alone.world_size) == (1, 1)
    assert step_of(plan, step) == step_of(alone, step)


@given(plans(), st.integers(0, 1000))
def test_each_place_of_a_step_is_taken_once(plan, step):
    parts = itertools.product(range(plan.accumulation), range(plan.world_size))
    places = [int(p) for micro_step, rank in parts for p in plan.places(step, micro_step, rank)]
    start = step * plan.total_batch_size
    assert places == list(range(start, start + plan.total_batch_size))


def test_two_processes_share_what_one_takes_alone():
    alone = BatchPlan(100, 8, 4, world_size=1)
    two = BatchPlan(100, 8, 4, world_size=2)
    ranks = [set(two.indices(5, 0, rank).tolist()) for rank in (0, 1)]
    assert (alone.accumulation, two.accumulation) == (2, 1)
    assert not ranks[0] & ranks[1]
    assert ranks[0] | ranks[1] == set(step_of(alone, 5))


def test_an_epoch_ends_within_a_batch():
    plan = BatchPlan(samples=10, total_batch_size=4, per_device_batch_size=2)
    line = [i for step in range(5) for i in step_of(plan, step)]  # step 2 holds the edge
    assert sorted(line[:10]) == sorted(line[10:]) == list(range(10))
    assert line[:10] != line[10:]


def test_a_step_longer_than_an_epoch():
    assert sorted(step_of(BatchPlan(3, 9, 9), 0)) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = [step_of(BatchPlan(50, 50, 50, seed=seed), epoch) for seed in (0, 1, 2) for epoch in (0, 1, 2)]
    assert len({tuple(order) for order in orders}) == 9


def test_the_order_is_the_one_that_committed_results_were_made_with():
    assert step_of(BatchPlan(10, 4, 2, seed=0), 0) == [4, 6, 2, 7]


@pytest.mark.parametrize(
    ("total", "per_device", "world_size", "micro_batch", "accumulation"),
    [(16, 16, 1, 16, 1), (16, 4, 1, 4, 4), (16, 4, 2, 4, 2), (8, 16, 1, 8, 1), (8, 16, 2, 4, 1), (512, 4, 8, 4, 16)],
)
def test_accumulation_is_derived(total, per_device, world_size, micro_batch, accumulation):
    plan = BatchPlan(1000, total, per_device, world_size)
    assert (plan.micro_batch_size, plan.accumulation) == (micro_batch, accumulation)


@pytest.mark.parametrize(
    ("total", "per_device", "world_size", "sentence"),
    [
        (20, 16, 1, "total_batch_size 20 does not divide into micro-batches of 16; the nearest that does is 16"),
        (30, 8, 2, "30 does not divide into micro-batches of 8 x 2 processes; the nearest that does is 32"),
        (11, 16, 4, "11 does not divide among 4 processes; the nearest that does is 12"),
        (1, 16, 2, "1 does not divide among 2 processes; the nearest that does is 2"),
    ],
)
def test_a_total_that_does_not_divide(total, per_device, world_size, sentence):
    with pytest.raises(UserError) as error:
        BatchPlan(100, total, per_device, world_size)
    assert str(error.value).endswith(sentence)


def divides(total: int, per_device: int, world_size: int) -> int | None:
    """Return the nearest total in the refusal, or None where there is none."""
    try:
        BatchPlan(100, total, per_device, world_size)
    except UserError as error:
        return int(str(error).split()[-1])
    return None


@given(sizes, st.integers(1, 8), st.integers(1, 5))
def test_a_plan_divides_or_names_the_nearest_that_does(total, per_device, world_size):
    nearest = divides(total, per_device, world_size)
    if nearest is None:
        plan = BatchPlan(100, total, per_device, world_size)
        assert plan.micro_batch_size * plan.accumulation * world_size == total
        assert 1 <= plan.micro_batch_size <= per_device
    else:
        distance = abs(nearest - total)
        assert divides(nearest, per_device, world_size) is None
        nearer = range(max(1, total - distance + 1), total + distance)
        assert not any(divides(other, per_device, world_size) is None for other in nearer)


def test_no_samples():
    with pytest.raises(UserError, match="no samples"):
        BatchPlan(0, 4, 4)


def test_the_example_in_the_docstring():
    assert doctest.testmod(batch_plan).failed == 0
