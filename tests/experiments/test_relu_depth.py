"""Why ReLU in deep layers: what the probe sees, that the nets are what they are called, and that verdicts can turn."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lab_checks import check

from hf_llm.config import UserError
from hf_llm.data.images import LabelledImages, hold_out, read_images
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.relu_depth import cells, lab
from hf_llm.experiments.relu_depth.cells import QUICK, Parts, best_rate, grid, train_net, try_rate
from hf_llm.experiments.relu_depth.findings import (
    about,
    dead_findings,
    rescue_findings,
    start_findings,
    training_findings,
)
from hf_llm.experiments.relu_depth.nets import HE, XAVIER, DeepMLP, Kind
from hf_llm.experiments.relu_depth.probe import alike, orders_lost, probe
from hf_llm.experiments.report import result_as_dict
from hf_llm.experiments.result import Words
from hf_llm.training.image_classification import pixel_values

TINY = dataclasses.replace(QUICK, depths=(2, 3, 6), width=16, steps=4, batch=16, judged=40, probed=40)


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    return hold_out(read_images("digits").train, 1 / 6)[1].select(slice(60))


@pytest.fixture(scope="module")
def parts() -> Parts:
    return Parts.read("digits", TINY)


def run():
    return lab.run(ExperimentConfig(output_dir="", quick=True, data="digits"), lambda *_: None)


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "QUICK", TINY)
        return run()


def test_the_result_keeps_the_rules(result):
    check(result)
    assert result.lecture == ["L4", "L31"]
    assert [row["depth"] for row in result.tables["depth"].rows] == 7 * [2, 3, 6]
    assert len(result.tables["start"].rows) == 8 + 3 * 4
    assert len(result.tables["rescues"].rows) == 4 * 4
    assert [row["step"] for row in result.tables["training"].rows] == 4 * [0, 2, 4]


def test_a_seed_repeats_it(result, monkeypatch):
    monkeypatch.setattr(lab, "QUICK", TINY)
    assert result_as_dict(run()) == result_as_dict(result)


def test_he_weights_have_twice_the_variance_of_xavier_weights_and_else_are_the_same():
    one, other = (DeepMLP(Kind(4, "relu", weights), width=32, seed=3).layers[1].weight for weights in (HE, XAVIER))
    torch.testing.assert_close(one, 2**0.5 * other)
    assert abs(float(one.detach().var()) - 2 / 32) < 0.01


def test_a_layer_is_linear_then_activation_and_a_shortcut_adds_its_input():
    x = torch.randn(5, 1, 28, 28)
    plain, shortcut = (DeepMLP(Kind(2, "tanh", XAVIER, shortcuts=on), width=8, seed=0) for on in (False, True))
    (one, two), classifier = plain.layers, plain.classifier
    hidden = torch.tanh(one(x.flatten(1)))
    torch.testing.assert_close(plain(x).logits, classifier(torch.tanh(two(hidden))))
    torch.testing.assert_close(shortcut(x).logits, classifier(hidden + torch.tanh(two(hidden))))
    normalised = DeepMLP(Kind(2, "tanh", XAVIER, batch_norm=True), width=8, seed=0)
    sums: list[torch.Tensor] = []
    normalised(x, sums)
    torch.testing.assert_close(sums[1].mean(dim=0), torch.zeros(8), atol=1e-5, rtol=0)


def test_the_probe_measures_the_gradient_by_the_weights_and_by_the_sums(images):
    net = DeepMLP(Kind(3, "sigmoid", XAVIER), width=12, seed=1).double()
    seen = probe(net, images)
    x, labels = pixel_values(torch.from_numpy(images.images)).double(), torch.from_numpy(images.labels)
    F.cross_entropy(net(x).logits, labels).backward()
    expected = [float(layer.weight.grad.norm()) for layer in net.layers]
    np.testing.assert_allclose(seen["weight_gradients"], expected, rtol=1e-9)

    one = images.select(slice(1))  # of one image, the bias gets exactly ∂loss/∂z
    net.zero_grad()
    F.cross_entropy(net(x[:1]).logits, labels[:1]).backward()
    expected = [float(layer.bias.grad.norm()) for layer in net.layers]
    np.testing.assert_allclose(probe(net, one)["gradients"], expected, rtol=1e-9)


def test_the_probe_leaves_the_net_as_it_was(images):
    net = DeepMLP(Kind(3, "relu", HE, batch_norm=True), width=12, seed=1).eval()
    before = copy.deepcopy(net.state_dict())
    probe(net, images)
    assert not net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_unit_is_dead_where_no_image_gets_through(images):
    relu, sigmoid = (DeepMLP(Kind(3, name, HE), width=12, seed=1) for name in ("relu", "sigmoid"))
    with torch.no_grad():
        for net in (relu, sigmoid):
            net.layers[1].bias[4] = -1e4  # off whatever comes in
            net.layers[1].bias[5] = 1e4  # open for ReLU, saturated for the sigmoid
    assert probe(relu, images)["dead"][1, [4, 5]].tolist() == [True, False]
    assert probe(sigmoid, images)["dead"][1, [4, 5]].tolist() == [True, True]
    assert not probe(sigmoid, images)["dead"][0].any()


def test_small_numbers_that_are_easy_to_get_wrong():
    assert orders_lost(np.array([1e-3, 5.0, 1.0])) == pytest.approx(3)
    assert orders_lost(np.array([100.0, 1.0])) == pytest.approx(-2)
    assert orders_lost(np.array([0.0, 0.0])) == 0
    assert alike(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])) == pytest.approx(1 / 3)


def test_the_mathematics_of_depth(images):
    """Xavier's weights halve the square of ReLU's gradient a layer, He's keep it, a sigmoid takes a quarter each."""

    def lost(activation: str, weights: str, **rescue) -> float:
        kind = Kind(30, activation, weights, **rescue)
        return np.mean([orders_lost(probe(DeepMLP(kind, 64, seed), images)["gradients"]) for seed in range(3)])

    assert lost("relu", XAVIER) == pytest.approx(29 / 2 * np.log10(2), abs=0.7)
    assert abs(lost("relu", HE)) < 0.7
    assert lost("sigmoid", XAVIER) > 29 * np.log10(4)
    assert abs(lost("relu", HE, batch_norm=True, shortcuts=True)) < 2
    assert lost("relu", HE, batch_norm=True) < -1.5  # grows: Yang et al. 2019
    assert lost("relu", HE, shortcuts=True) < -4  # doubles its square a layer


def test_a_net_that_diverges_is_judged_all_the_same(parts, monkeypatch):
    calls = []

    def diverge(task, config):
        calls.append(task.evaluate(task.model))
        raise UserError("the loss is no longer a finite number")

    monkeypatch.setattr(cells, "train", diverge)
    kind = Kind(2, "relu", HE)
    assert try_rate(parts, TINY, kind, "sgd", 1.0) == {"rate": 1.0, "accuracy": 0.0, "loss": float("inf")}
    cell = train_net(parts, TINY, kind, "sgd", 1.0, seed=0)
    assert len(cell["gradients"]) == len(cell["dead"]) == len(cell["steps"]) == 1 + TINY.looks
    assert 0 <= cell["test_accuracy"] <= 1


def test_the_rate_is_picked_by_accuracy_then_by_loss():
    trials = [{"rate": 1, "accuracy": 0.5, "loss": 2.0}, {"rate": 2, "accuracy": 0.9, "loss": 3.0},
              {"rate": 3, "accuracy": 0.9, "loss": 1.0}]  # fmt: skip
    assert best_rate(trials) == 3


def verdicts(findings) -> str:
    """Return y, n or u (yes, no, unclear) for each finding."""
    return "".join(finding.supported[0] for finding in findings)


def starts(lost: float) -> dict:
    """Return made-up looks before training, whose gradients lose `lost` powers of ten, a little more by seed."""
    kinds = [Kind(3, name, weights, **rescue) for name in cells.CUSTOMARY for weights in (XAVIER, HE)
             for rescue in cells.RESCUES.values()]  # fmt: skip
    alike_of = {"sigmoid": 1.0, "tanh": 0.3, "relu": 0.95, "gelu": 0.5}
    looks = [10 ** -np.array([lost + seed / 1000, 0.5, 0.0]) for seed in (0, 1)]
    return {
        kind: [{"gradients": look, "weight_gradients": look, "alike": alike_of[kind.activation]} for look in looks]
        for kind in kinds
    }


def test_verdicts_on_the_start_follow_the_gradients():
    # sigmoid vanishes, He keeps, Xavier keeps, halves, even, tiny, tanh and GELU vanish, twice alike, three explode
    assert verdicts(start_findings(starts(5.0), 3)) == "ynnnynyyyynnn"
    assert verdicts(start_findings(starts(-5.0), 3)) == "nyynynnnyyyyy"
    halved = np.log10(2)  # in two steps the square falls to a quarter
    assert verdicts(start_findings(starts(halved), 3))[3] == "y"


def runs(better: str, dead_before: float, dead_after: float) -> dict:
    """Return made-up trained nets; those with `better` in their description are right more often."""
    made = {}
    for kind, optimizer in grid(TINY):
        dead = np.zeros((2, kind.depth, 100), dtype=bool)
        if kind.activation == "relu" and kind.depth == 6:
            dead[0, :, : round(100 * dead_before)] = dead[1, :, : round(100 * dead_after)] = True
        description = f"{kind.activation} {kind.weights} {kind.rescue} {optimizer} {kind.depth}"
        made[kind, optimizer] = [
            {"test_accuracy": 0.5 + 0.2 * (better in description) + seed / 1e4, "dead": dead,
             "gradients": np.ones((2, kind.depth)) * 10 ** -(3 * np.arange(kind.depth)[::-1] + seed / 1e3)}
            for seed in (0, 1)
        ]  # fmt: skip
    return made


def test_verdicts_on_accuracy_follow_the_test_set():
    relu, tanh, adam = (training_findings(runs(name, 0, 0), TINY.depths) for name in ("relu", "tanh", "adam"))
    assert verdicts(relu)[:6] == "yyyyyy"
    assert verdicts(tanh)[1] == verdicts(tanh)[4] == "n"
    assert verdicts(adam)[8:10] == "yy"
    assert verdicts(relu)[8:10] == "nn"
    assert verdicts(relu)[10:] == "nn"  # the made-up gradients have vanished


def test_verdicts_on_dead_units_follow_the_counts():
    assert verdicts(dead_findings(runs("relu", 0.0, 0.0), TINY.depths))[0] == "y"
    # none dead, deeper is deader, fewer than the sigmoid, none comes back, hardly any with both
    assert verdicts(dead_findings(runs("relu", 0.4, 0.1), TINY.depths)) == "nynnn"
    assert verdicts(dead_findings(runs("relu", 0.4, 0.4), TINY.depths))[3] == "y"


def test_verdicts_on_rescues_follow_the_test_set():
    both = rescue_findings(runs("both", 0, 0), 6)
    assert verdicts(both)[:3] == "uuy"
    assert verdicts(both)[-1] == "y"
    assert verdicts(rescue_findings(runs("sigmoid xavier", 0, 0), 6))[3:] == "nnnuuyn"


def test_about_is_yes_inside_no_outside_and_unclear_across_the_edge():
    said = Words(pt="a", en="a"), Words(pt="b", en="b")
    found = [about(said, values, 0.5, 0.05) for values in ([0.5, 0.501], [0.7, 0.701], [0.45, 0.5])]
    assert verdicts(found) == "ynu"
