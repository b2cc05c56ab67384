"""The experiment on losses: its formulas are torch's, both losses get the same chances, verdicts follow the data."""

import math
from itertools import pairwise

import pytest
import torch

from hf_llm.experiments.frame.study import Study
from hf_llm.experiments.losses import calibration, classification, gradients, overflow, regression
from hf_llm.experiments.losses.calibration import B, W, judge, trained_neuron
from hf_llm.experiments.losses.classification import accuracies, new_net, train, wrong_net
from hf_llm.experiments.losses.formulas import (
    GRADIENTS,
    LOSSES,
    cross_entropy,
    cross_entropy_gradient,
    log_sum_exp,
    squared_softmax,
    squared_softmax_gradient,
)
from hf_llm.experiments.losses.gradients import sigmoid_gradients, softmax_gradients
from hf_llm.experiments.losses.lab import LAB
from hf_llm.experiments.losses.regression import bin_centres, floor, method, nearest, order_rows, split
from hf_llm.texts import texts


@pytest.fixture(scope="module")
def measured():
    return LAB.measure(Study(range(2), quick=True))


@pytest.fixture
def tables(measured):
    return {name: table.copy() for name, table in measured.items()}


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_the_same_seeds_give_the_same_tables(measured):
    for part in (gradients, calibration, overflow):
        for name, table in part.measure(Study(range(2), quick=True)).items():
            assert table.equals(measured[name]), name
    again = train(new_net(1), "squared", 1.0, seed=1, steps=60, points=15)
    rows = measured["digits"].query("start == 'initial' and loss == 'squared' and rate == 1 and seed == 1")
    assert rows[["step", "training", "validation", "test"]].to_dict("records") == again
    assert regression.fit("friedman", "bins_5", 1.0, 1, 60) == (
        measured["regression"].query("dataset == 'friedman' and rate == 1 and seed == 1")
        .query("method in ('bins_5_mean', 'bins_5_top')").to_dict("records")
    )  # fmt: skip


def test_what_is_mathematics_holds(tables):
    said = supported(LAB.findings(tables))
    assert [said[name] for name in ("formulas", "vanishes", "vanishes_softmax", "log_sum_exp")] == ["yes"] * 4
    assert [said[name] for name in ("order", "definition", "absolute_calibrated")] == ["no"] * 3


def test_the_verdicts_follow_the_accuracies(tables):
    digits = tables["digits"]
    digits["test"] = 0.9 + 0.01 * digits["seed"]
    digits.loc[digits["loss"] == "cross_entropy", "test"] -= 0.1
    said = supported(classification.findings(tables))
    assert said["initial_end"] == said["wrong_end"] == "no"
    tables["formulas"]["difference"] = 1e-3
    assert supported(gradients.findings(tables))["formulas"] == "no"


def test_cross_entropy_and_its_gradient_are_torchs():
    generator = torch.Generator().manual_seed(0)
    z = (5 * torch.randn(9, 4, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(4, (9,), generator=generator)
    theirs = torch.nn.functional.cross_entropy(z, labels)
    theirs.backward()
    torch.testing.assert_close(cross_entropy(z, labels), theirs)
    torch.testing.assert_close(cross_entropy_gradient(z.detach(), labels), z.grad)


def test_after_a_softmax_the_square_carries_its_jacobian_and_not_the_sigmoids_factor():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(9, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(4, (9,), generator=generator)
    squared_softmax(z, labels).backward()
    torch.testing.assert_close(squared_softmax_gradient(z.detach(), labels), z.grad)
    p = z.detach().softmax(dim=1)
    elementwise = 2 * (p - torch.nn.functional.one_hot(labels, 4)) * p * (1 - p) / 9
    assert (elementwise - z.grad).norm() > 0.1 * z.grad.norm()


def test_both_gradients_of_a_sigmoid_are_autograds():
    z = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    p = torch.sigmoid(z)
    for name, loss in (("cross_entropy", -p.log()), ("squared", (p - 1) ** 2)):
        (gradient,) = torch.autograd.grad(loss.sum(), z, retain_graph=True)
        torch.testing.assert_close(sigmoid_gradients(z.detach())[name], gradient)


def test_the_size_of_the_softmaxs_gradients_is_that_of_one_example():
    z = torch.tensor([-10.0, 0.0], dtype=torch.float64)
    sizes, p = softmax_gradients(z), 0.5  # two classes of the same logit, and nothing else to speak of
    assert sizes["p"][1].item() == pytest.approx(p, abs=1e-3)
    assert sizes["cross_entropy"][1].item() == pytest.approx(math.hypot(p, p), abs=1e-3)
    assert sizes["squared"][1].item() == pytest.approx(4 * p**2 * math.hypot(p, p), abs=2e-3)
    assert set(GRADIENTS) == set(LOSSES)


def test_the_square_is_the_brier_score():
    z, labels = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]), torch.tensor([0, 0])
    assert squared_softmax(z, labels).item() == pytest.approx((0.5 + 2 * 0.25**2) / 2)


def test_log_sum_exp_survives_where_the_definition_overflows(tables):
    rows = tables["overflow"].set_index("m")
    assert rows["by_definition"][88.0] == pytest.approx(88.0)
    assert not math.isfinite(rows["by_definition"][89.0])
    assert not math.isfinite(rows["softmax_then_log"][1000.0])
    assert rows["log_sum_exp"][1000.0] == 1000.0
    assert log_sum_exp(torch.tensor([[-1000.0, -1000.0]])).item() == pytest.approx(-1000 + math.log(2))


def test_cross_entropy_is_blind_to_the_order_of_bins():
    rows = order_rows()
    assert len({round(row["cross_entropy"], 12) for row in rows}) == 1
    assert all(near["squared"] < far["squared"] for near, far in pairwise(rows))


def test_both_losses_search_the_same_rates_and_are_judged_by_validation(tables):
    rows = classification.outcomes(tables)
    searched = rows.groupby(["start", "loss"])["rate"].apply(lambda rates: tuple(sorted(set(rates))))
    assert len(searched) == 4
    assert searched.nunique() == 1
    for _, group in rows.groupby(["start", "loss"]):
        means = group.groupby("rate")["validation"].mean()
        assert means[group.query("chosen")["rate"].iloc[0]] == means.max()
    chosen = regression.at_best_rate(tables)
    errors = tables["regression"].groupby(["dataset", "method", "rate"])["validation"].mean()
    for (dataset, name), group in chosen.groupby(["dataset", "method"]):
        assert errors[dataset, name, group["rate"].iloc[0]] == errors[dataset, name].min()


def test_the_wrong_net_is_wrong_on_purpose():
    net = wrong_net(seed=0, steps=150)
    assert accuracies(net, shift=1)["training"] > 0.8
    assert accuracies(net)["training"] < 0.1


def test_a_training_learns_and_is_looked_at_evenly():
    seen = train(new_net(seed=0), "cross_entropy", 1.0, seed=0, steps=60, points=3)
    assert [point["step"] for point in seen] == [0, 20, 40, 60]
    assert seen[-1]["validation"] > seen[0]["validation"] + 0.3


def test_all_trainings_of_a_start_begin_at_the_same_net(measured):
    first = measured["digits"].query("step == 0").groupby(["start", "seed"])["validation"]
    assert (first.nunique() == 1).all()


@pytest.mark.parametrize("dataset", regression.DATASETS)
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
    assert way.readings["_top"](outputs).item() == 1
    assert way.readings["_mean"](outputs).item() == pytest.approx(0.6 * 1 + 0.4 * 9)
    assert floor("friedman", 40, seed=0) < floor("friedman", 5, seed=0)


def test_a_probability_cannot_leave_the_range_of_the_targets():
    read = method("probability", torch.tensor([2.0, 6.0])).readings[""]
    assert read(torch.tensor([[-50.0], [0.0], [50.0]])).tolist() == [2.0, 4.0, 6.0]


def test_the_names_of_the_methods_say_how_many_bins_they_have():
    for bins in (regression.FEW, regression.MANY):
        assert all(texts("losses")[f"names.bins_{bins}_mean"][lang].startswith(f"{bins} ") for lang in ("pt-BR", "en"))


def test_cross_entropy_finds_the_coin_and_the_absolute_error_does_not():
    w, b = trained_neuron("cross_entropy", seed=0, steps=300)
    torch.testing.assert_close(torch.cat([w, b[None]]), torch.tensor([*W, B], dtype=torch.float64), rtol=0, atol=0.2)
    proper, improper = (judge(loss, seed=0, steps=300)[0] for loss in ("cross_entropy", "absolute"))
    assert proper["calibration_error"] < calibration.CALIBRATED < improper["calibration_error"]
