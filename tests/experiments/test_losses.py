"""The lab on losses: its formulas are torch's, both losses get the same chances, and its verdicts follow the data."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from lab_checks import check

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.losses import lab as losses
from hf_llm.experiments.losses.calibration import B, W, judge, trained_neuron
from hf_llm.experiments.losses.digits import accuracies, new_net, race, wrong_net
from hf_llm.experiments.losses.formulas import (
    binary_gradients,
    cross_entropy,
    cross_entropy_gradient,
    log_sum_exp,
    order_rows,
    overflow_rows,
    squared_softmax,
)
from hf_llm.experiments.losses.regression import bin_centres, floor, method, nearest, split


def run(seeds=2):
    return losses.run(ExperimentConfig(output_dir="unused", quick=True, seeds=seeds), lambda done, total: None)


def supported(findings) -> dict:
    """Return the verdicts by the name of their claim."""
    names = {words[0].en: name for name, words in losses.CLAIMS.items()}
    return {names[finding.claim.en]: finding.supported for finding in findings}


@pytest.fixture(scope="module")
def result():
    return run()


@pytest.fixture
def rows(result):
    return copy.deepcopy({name: table.rows for name, table in result.tables.items()})


def test_the_result_keeps_the_rules(result):
    check(result)
    assert supported(result.findings).keys() == losses.CLAIMS.keys()


def test_the_same_seeds_give_the_same_tables(result):
    again = run()
    assert again.tables == result.tables
    assert again.findings == result.findings


def test_what_is_mathematics_holds(result):
    said = supported(result.findings)
    assert [said[name] for name in ("p_minus_y", "vanishes", "log_sum_exp")] == ["yes"] * 3
    assert [said[name] for name in ("order", "definition", "calibrated_absolute")] == ["no"] * 3


def test_the_verdicts_follow_the_accuracies(rows):
    for row in rows["digits"]:
        row["seeds"]["test"] = [0.8, 0.81] if row["loss"] == "cross_entropy" else [0.9, 0.91]
    said = supported(losses.findings(rows, [0.0]))
    assert said["drawn_end"] == said["wrong_end"] == "no"
    assert supported(losses.findings(rows, [1e-3]))["p_minus_y"] == "no"


def test_cross_entropy_and_its_gradient_are_torchs():
    generator = torch.Generator().manual_seed(0)
    z = (5 * torch.randn(9, 4, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(4, (9,), generator=generator)
    theirs = torch.nn.functional.cross_entropy(z, labels)
    theirs.backward()
    torch.testing.assert_close(cross_entropy(z, labels), theirs)
    torch.testing.assert_close(cross_entropy_gradient(z.detach(), labels), z.grad)


def test_both_gradients_of_two_classes_are_autograds():
    z = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    p = torch.sigmoid(z)
    for name, loss in (("cross_entropy", -p.log()), ("squared", (p - 1) ** 2)):
        (gradient,) = torch.autograd.grad(loss.sum(), z, retain_graph=True)
        torch.testing.assert_close(binary_gradients(z.detach())[name], gradient)


def test_the_square_is_the_brier_score():
    z, labels = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]), torch.tensor([0, 0])
    assert squared_softmax(z, labels).item() == pytest.approx((0.5 + 2 * 0.25**2) / 2)


def test_log_sum_exp_survives_where_the_definition_overflows():
    rows = {row["m"]: row for row in overflow_rows()}
    assert rows[88.0]["by_definition"] == pytest.approx(88.0)
    assert not math.isfinite(rows[89.0]["by_definition"])
    assert not math.isfinite(rows[1000.0]["softmax_then_log"])
    assert rows[1000.0]["log_sum_exp"] == 1000.0
    assert log_sum_exp(torch.tensor([[-1000.0, -1000.0]])).item() == pytest.approx(-1000 + math.log(2))


def test_cross_entropy_is_blind_to_the_order_of_bins():
    rows = order_rows()
    assert len({round(row["cross_entropy"], 12) for row in rows}) == 1
    assert all(near["squared"] < far["squared"] for near, far in pairwise(rows))


def test_both_losses_search_the_same_rates_and_are_judged_by_validation(result):
    rows = result.tables["digits"].rows
    of = {
        (start, loss): [row for row in rows if (row["start"], row["loss"]) == (start, loss)]
        for start in losses.START_NAMES
        for loss in losses.LOSSES
    }
    assert len({tuple(row["rate"] for row in group) for group in of.values()}) == 1
    for group in of.values():
        assert [row["validation"] for row in group if row["best"]] == [max(row["validation"] for row in group)]


def test_the_wrong_net_is_wrong_on_purpose():
    net = wrong_net(seed=0, steps=150)
    assert accuracies(net, shift=1)["training"] > 0.8
    assert accuracies(net)["training"] < 0.1


def test_a_race_leaves_its_net_alone_and_learns():
    net = new_net(seed=0)
    before = copy.deepcopy(net.state_dict())
    raced = race(net, "cross_entropy", rate=1.0, seed=0, steps=60, points=3)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert raced["steps"] == [0, 20, 40, 60]
    assert raced["validation"][-1] > raced["validation"][0] + 0.3


@pytest.mark.parametrize("dataset", losses.DATASETS)
def test_a_split_is_scaled_by_its_training_part(dataset):
    parts = split(dataset, seed=1)
    _, y = parts["training"]
    assert y.mean().item() == pytest.approx(0, abs=1e-5)
    assert y.std(correction=0).item() == pytest.approx(1, abs=1e-5)
    rows = torch.cat([torch.cat([x, y[:, None]], dim=1) for x, y in parts.values()])
    assert len(rows.unique(dim=0)) == len(rows)  # no sample is in two parts


def test_bins_cover_the_targets_and_the_readings_read_them():
    targets = torch.tensor([0.0, 1.0, 2.0, 10.0])
    centres = bin_centres(targets, 5)
    assert centres.tolist() == [1, 3, 5, 7, 9]
    assert nearest(centres, torch.tensor([-4.0, 1.9, 2.1, 99.0])).tolist() == [0, 0, 1, 4]
    way = method("bins_5", targets)
    outputs = torch.tensor([[0.6, 0.0, 0.0, 0.0, 0.4]]).log()
    assert way.readings["top"](outputs).item() == 1
    assert way.readings["mean"](outputs).item() == pytest.approx(0.6 * 1 + 0.4 * 9)
    assert floor("friedman", 40, seed=0) < floor("friedman", 5, seed=0)


def test_a_probability_cannot_leave_the_range_of_the_targets():
    read = method("probability", torch.tensor([2.0, 6.0])).readings["output"]
    assert read(torch.tensor([[-50.0], [0.0], [50.0]])).tolist() == [2.0, 4.0, 6.0]


def test_cross_entropy_finds_the_coin_and_the_absolute_error_does_not():
    w, b = trained_neuron("cross_entropy", seed=0, steps=300)
    torch.testing.assert_close(torch.cat([w, b[None]]), torch.tensor([*W, B], dtype=torch.float64), rtol=0, atol=0.2)
    proper, improper = (judge(loss, seed=0, steps=300) for loss in ("cross_entropy", "absolute"))
    assert proper["calibration_error"] < 0.03 < improper["calibration_error"]
