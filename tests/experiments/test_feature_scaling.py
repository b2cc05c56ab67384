"""The lab `feature-scaling`: theory and measurement meet, and the nets in one tensor are the nets one by one."""

import numpy as np
import pytest
import torch
from lab_checks import check
from torch import nn

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.feature_scaling import condition as feature_scaling_condition
from hf_llm.experiments.feature_scaling import lab as feature_scaling
from hf_llm.experiments.feature_scaling.condition import TOLERANCE, bound, mixed, problem, steps_of
from hf_llm.experiments.feature_scaling.nets import batch_norm, final_losses, new_weights, predictions
from hf_llm.experiments.feature_scaling.real import (
    DATA_SETS,
    descend,
    design_matrix,
    read_table,
    standardise,
    two_paths,
)  # fmt: skip


def run():
    return feature_scaling.run(ExperimentConfig(output_dir="unused", quick=True), lambda done, total: None)


@pytest.fixture(scope="module")
def result():
    return run()


@pytest.mark.slow
def test_the_result_keeps_the_rules(result):
    check(result)


@pytest.mark.slow
def test_the_same_seeds_give_the_same_tables(result):
    again = run()
    assert again.tables == result.tables
    assert again.findings == result.findings


@pytest.mark.slow
def test_steps_grow_with_the_condition_number(result):
    said = {finding.claim.en: finding.supported for finding in result.findings}
    assert said["The steps of gradient descent grow in proportion to the condition number."] == "yes"
    assert said["Gradient descent never needs more steps than the theory's bound."] == "yes"
    assert said["After standardising, the condition number is close to one on real data too."] == "no"


@pytest.mark.parametrize("condition", [3.0, 100.0])
def test_a_problem_has_the_condition_number_that_was_asked_for_mixed_or_not(condition):
    hessian, solution = problem(condition, seed=0)
    turned, moved = mixed(hessian, solution, seed=0)
    for matrix in (hessian, turned):
        eigenvalues = torch.linalg.eigvalsh(matrix)
        assert (eigenvalues[-1] / eigenvalues[0]).item() == pytest.approx(condition)
    assert (moved @ turned @ moved).item() == pytest.approx((solution @ hessian @ solution).item())
    assert not torch.allclose(turned, turned.diag().diag(), atol=0.1)


def test_the_bound_is_reached_by_the_worst_start_and_by_no_other():
    """Both extreme directions shrink by (κ−1)/(κ+1) a step: a start in them takes the theory's steps exactly."""
    condition = 50.0
    shares, _, measured = descend(np.diag([1.0, condition]), np.array([1.0, 1.0]), steps=500)
    assert measured == pytest.approx(condition)
    assert np.argmax(shares <= TOLERANCE) == np.ceil(bound(condition, TOLERANCE))
    assert (steps_of("descent", condition, seeds=3, quick=True) < bound(condition, TOLERANCE)).all()


def test_at_another_rate_the_bound_would_be_broken(monkeypatch):
    class Slow(feature_scaling_condition.SGD):
        def direction(self, g, state, group):
            return g / 3

    monkeypatch.setattr(feature_scaling_condition, "SGD", Slow)
    assert (steps_of("descent", 100.0, seeds=2, quick=True) > bound(100.0, TOLERANCE)).all()


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_table_is_drawn_by_its_seed(name):
    features, target = read_table(name, seed=1)
    again, _ = read_table(name, seed=1)
    other, _ = read_table(name, seed=2)
    assert np.array_equal(features, again)
    assert not np.array_equal(features, other)
    assert (target.mean(), target.std()) == pytest.approx((0, 1), abs=1e-12)
    scaled = standardise(features)
    assert np.abs(scaled.mean(axis=0)).max() < 1e-9
    assert np.abs(scaled.std(axis=0) - 1).max() < 1e-9
    assert np.ptp(features.std(axis=0)) > 1  # raw: scikit-learn ships diabetes scaled unless asked otherwise


@pytest.mark.parametrize("version", ["raw", "standardised"])
def test_both_versions_reach_the_same_least_squares(version):
    features, target = read_table("wine", seed=0)
    best = np.c_[features, np.ones(len(features))]
    expected = target - best @ np.linalg.lstsq(best, target)[0]
    matrix = design_matrix(features, version)
    residual = target - matrix @ np.linalg.lstsq(matrix, target)[0]
    np.testing.assert_allclose(residual, expected, atol=1e-8)


def test_the_two_paths_end_at_the_minimum_and_the_scaled_one_sooner():
    table, _ = two_paths()
    raw, scaled = table.rows
    assert scaled["condition"] < raw["condition"]
    assert scaled["steps"] < raw["steps"]
    np.testing.assert_allclose(raw["path"][-1], [1.0, 0.2], atol=0.05)
    np.testing.assert_allclose(scaled["path"][-1], [1.0, 1.0], atol=1e-6)


def test_batch_norm_is_torchs():
    x = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 30 + 4
    torch.testing.assert_close(batch_norm(x), nn.BatchNorm1d(7, affine=False).train()(x))


@pytest.mark.parametrize("place", [None, "hidden", "input"])
def test_nets_in_one_tensor_are_the_nets_one_by_one(place):
    """Each rate and seed: the same predictions, and the same gradients, as its own net alone."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 30, 5, generator=random)  # two seeds
    weights = new_weights(features=5, seeds=2, rates=3)
    together = predictions(x, weights, place)
    together.square().mean(dim=-1).sum().backward()
    for rate in range(3):
        for seed in range(2):
            alone = [tensor.detach()[rate, seed].clone().requires_grad_() for tensor in weights]
            said = predictions(x[seed], alone, place)
            torch.testing.assert_close(together[rate, seed], said)
            said.square().mean().backward()
            for one, other in zip(weights, alone):
                torch.testing.assert_close(one.grad[rate, seed], other.grad)


def test_a_rate_that_diverges_is_infinitely_bad():
    losses = final_losses("wine", "raw", "sgd", torch.tensor([1e-8, 10.0]), seeds=1, steps=60)
    assert losses[0].isfinite().all()
    assert losses[1].isinf().all()


def test_batch_norm_at_the_input_takes_the_scale_away():
    rates = torch.tensor([0.01])
    raw, scaled = (
        final_losses("wine", version, "input", rates, seeds=2, steps=5) for version in ("raw", "standardised")
    )
    torch.testing.assert_close(raw, scaled, rtol=1e-3, atol=0)


def test_a_net_is_trained_as_if_it_were_alone():
    rates = torch.tensor([0.03, 0.1])
    together = final_losses("wine", "standardised", "sgd", rates, seeds=2, steps=10)
    alone = final_losses("wine", "standardised", "sgd", rates[1:], seeds=1, steps=10)
    torch.testing.assert_close(together[1, :1], alone[0])
