"""The experiment `feature-scaling`: theory and measurement meet; the nets in one tensor are the nets one by one."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hf_llm.experiments.feature_scaling import condition as condition_part
from hf_llm.experiments.feature_scaling import nets, real_data, two_features
from hf_llm.experiments.feature_scaling.condition import mixed, problem, steps_of
from hf_llm.experiments.feature_scaling.data_sets import DATA_SETS, VERSIONS, read_table, standardise
from hf_llm.experiments.feature_scaling.nets import WAYS, batch_norm, final_losses, new_weights, predictions
from hf_llm.experiments.feature_scaling.quadratic import bound, gradient_descent
from hf_llm.experiments.feature_scaling.real_data import design_matrix
from hf_llm.experiments.frame.study import Study, by_seed, select
from hf_llm.experiments.shared.descent import TOLERANCE

QUICK = Study(range(2), quick=True)


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


@pytest.fixture(scope="module")
def steps():
    return condition_part.measure(QUICK)["steps"]


def test_steps_grow_with_the_condition_number(steps):
    said = supported(condition_part.findings({"steps": steps}))
    assert said["in_proportion"] == said["within_the_bound"] == "yes"


def test_steps_that_grow_as_the_root_are_not_called_a_proportion(steps):
    root = steps.assign(steps=steps["steps"].where(steps["method"] != "descent", steps["steps"] ** 0.5))
    assert supported(condition_part.findings({"steps": root}))["in_proportion"] == "no"


def test_the_same_seeds_give_the_same_tables(monkeypatch):
    monkeypatch.setattr(condition_part, "ADAM_STEPS", 60)
    monkeypatch.setattr(nets, "STEPS", (3, 3))
    monkeypatch.setattr(real_data, "STEPS", (60, 60))
    for part in (two_features, real_data, condition_part, nets):
        first, again = part.measure(QUICK), part.measure(QUICK)
        for name, table in first.items():
            pd.testing.assert_frame_equal(again[name], table, check_exact=True)


def test_standardising_real_data_leaves_correlated_features(monkeypatch):
    monkeypatch.setattr(real_data, "STEPS", (200, 200))
    tables = real_data.measure(QUICK)
    said = supported(real_data.findings(tables))
    assert said["condition_near_one"] == "no"
    assert said["further_on_wine"] == "yes"
    assert by_seed(tables["regressions"], "steps", data="wine", version="standardised").max() < 200
    assert select(tables["regressions"], data="wine", version="raw")["steps"].isna().all()


def test_the_harm_of_raw_features_is_a_ratio_of_losses():
    """SGD ends three times higher on raw features, Adam nine times, batch norm at the input not at all."""
    rows = [
        {"data": data, "way": way, "version": version, "seed": seed,
         "loss": (0.1 + 0.01 * seed) * ({"sgd": 3, "adam": 9, "hidden": 2, "input": 1}[way] if version == "raw" else 1)}
        for data in DATA_SETS for way in WAYS for version in VERSIONS for seed in range(5)
    ]  # fmt: skip
    found = {finding.key: finding for finding in nets.findings({"nets": pd.DataFrame(rows)})}
    assert [found[f"raw_harms_{way}"].value for way in WAYS] == pytest.approx([3, 9, 2, 1])
    assert found["raw_harms_sgd"].supported == found["raw_harms_adam"].supported == "yes"
    assert found["adam_less_sensitive"].supported == "no"
    assert found["hidden_less_sensitive"].supported == found["input_less_sensitive"].supported == "yes"


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
    shares, _, measured = gradient_descent(np.diag([1.0, condition]), np.array([1.0, 1.0]), steps=500)
    assert measured == pytest.approx(condition)
    assert np.argmax(shares <= TOLERANCE) == np.ceil(bound(condition, TOLERANCE))
    assert (np.array(steps_of("descent", condition, range(3), rates=1)) < bound(condition, TOLERANCE)).all()


def test_at_another_rate_the_bound_would_be_broken(monkeypatch):
    class Slow(condition_part.SGD):
        def direction(self, g, state, group):
            return g / 3

    monkeypatch.setattr(condition_part, "SGD", Slow)
    assert min(steps_of("descent", 100.0, range(2), rates=1)) > bound(100.0, TOLERANCE)


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
    tables = two_features.measure(QUICK)
    summary = tables["two_features"].set_index("version")
    assert summary["condition"]["standardised"] < summary["condition"]["raw"]
    assert summary["steps"]["standardised"] < summary["steps"]["raw"]
    ends = {version: select(tables["paths"], version=version)[["w1", "w2"]].iloc[-1] for version in VERSIONS}
    np.testing.assert_allclose(ends["raw"], [1.0, 0.2], atol=0.05)
    np.testing.assert_allclose(ends["standardised"], [1.0, 1.0], atol=1e-6)


def test_batch_norm_is_torchs():
    x = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 30 + 4
    torch.testing.assert_close(batch_norm(x), nn.BatchNorm1d(7, affine=False).train()(x))


@pytest.mark.parametrize("place", [None, "hidden", "input"])
def test_nets_in_one_tensor_are_the_nets_one_by_one(place):
    """Each rate and seed: the same predictions, and the same gradients, as its own net alone."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 30, 5, generator=random)  # two seeds
    weights = new_weights(features=5, seeds=range(2), rates=3)
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
    losses = final_losses("wine", "raw", "sgd", torch.tensor([1e-8, 10.0]), seeds=range(1), steps=60)
    assert losses[0].isfinite().all()
    assert losses[1].isinf().all()


def test_batch_norm_at_the_input_takes_the_scale_away():
    rates = torch.tensor([0.01])
    raw, scaled = (
        final_losses("wine", version, "input", rates, seeds=range(2), steps=5) for version in ("raw", "standardised")
    )
    torch.testing.assert_close(raw, scaled, rtol=1e-3, atol=0)


def test_a_net_is_trained_as_if_it_were_alone():
    rates = torch.tensor([0.03, 0.1])
    together = final_losses("wine", "standardised", "sgd", rates, seeds=range(2), steps=10)
    alone = final_losses("wine", "standardised", "sgd", rates[1:], seeds=range(1), steps=10)
    torch.testing.assert_close(together[1, :1], alone[0])
