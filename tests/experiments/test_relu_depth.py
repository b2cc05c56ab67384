"""Why ReLU in deep layers: what the probe sees, that the networks are what they are called, that verdicts can turn."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from hf_llm.config import UserError
from hf_llm.data.images import LabelledImages, hold_out, read_images
from hf_llm.experiments.frame.study import Study, Tables
from hf_llm.experiments.relu_depth import before_training, blocks, depth, fair_setting, training
from hf_llm.experiments.relu_depth.lab import LAB
from hf_llm.experiments.relu_depth.nets import BLOCKS, GELU_BIASES, GELU_WEIGHTS, OWN, USUAL, DeepMLP, Kind, usual
from hf_llm.experiments.relu_depth.probe import mean_cosine, powers_lost, probe
from hf_llm.experiments.relu_depth.training import QUICK, best_rate, train_net, try_rate
from hf_llm.experiments.shared.image_runs import ImageParts
from hf_llm.training.image_classification import pixel_values
from hf_llm.training.launch import start_processes

TINY = dataclasses.replace(QUICK, depths=(2, 3, 6), width=16, steps=4, batch=16, judged=40, probed=40)


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    return hold_out(read_images("digits").train, 1 / 6)[1].select(slice(60))


@pytest.fixture(scope="module")
def parts() -> ImageParts:
    return ImageParts.read("digits")


@pytest.fixture(scope="module")
def tables() -> list[Tables]:
    start_processes(threads=1)  # as `run_experiment` does: the bits depend on the number
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "QUICK", TINY)
        patch.setattr(fair_setting, "STEPS", (4, 4))
        return [LAB.measure(Study(range(2), quick=True)) for _ in range(2)]


def test_the_tables_hold_the_whole_grid(tables):
    one = tables[0]
    assert one["depth"].groupby(["activation", "weights", "optimizer"])["depth"].unique().map(list).tolist() == (
        7 * [[2, 3, 6]]
    )
    assert len(one["start"]) == 2 * (8 + 3 * 4 + 2)
    assert len(blocks.of_deepest(one)) == 2 * 4 * 4
    assert len(one["fair"]) == 2 * (3 + 5)
    assert one["depth_layers"].groupby("activation")["step"].unique().map(list).tolist() == 4 * [[0, 2, 4]]


def test_a_seed_repeats_it(tables):
    for name, table in tables[0].items():
        pd.testing.assert_frame_equal(table, tables[1][name], check_exact=True)


def test_he_weights_have_twice_the_variance_of_xavier_weights_and_else_are_the_same():
    one, other = (DeepMLP(Kind(4, "relu", weights), width=32, seed=3).layers[1].weight for weights in ("he", "xavier"))
    torch.testing.assert_close(one, 2**0.5 * other)
    assert abs(float(one.detach().var()) - 2 / 32) < 0.01


def test_a_layer_is_linear_then_activation_and_a_residual_connection_adds_its_input():
    x = torch.randn(5, 1, 28, 28)
    plain, residual, normalised = (
        DeepMLP(Kind(2, "tanh", "xavier", block), width=8, seed=0) for block in ("plain", "residual", "batch_norm")
    )
    (one, two), classifier = plain.layers, plain.classifier
    hidden = torch.tanh(one(x.flatten(1)))
    torch.testing.assert_close(plain(x).logits, classifier(torch.tanh(two(hidden))))
    torch.testing.assert_close(residual(x).logits, classifier(hidden + torch.tanh(two(hidden))))
    sums: list[torch.Tensor] = []
    normalised(x, sums)
    torch.testing.assert_close(sums[1].mean(dim=0), torch.zeros(8), atol=1e-5, rtol=0)


def test_sigmoids_with_weights_of_their_own_compute_what_tanh_computes():
    x = torch.randn(5, 1, 28, 28, dtype=torch.float64)
    sigmoid, tanh = (DeepMLP(Kind(9, *kind), width=8, seed=0).double() for kind in
                     (("sigmoid", OWN["sigmoid"]), ("tanh", "xavier")))  # fmt: skip
    torch.testing.assert_close(sigmoid(x).logits, tanh(x).logits, atol=1e-6, rtol=0)  # drawn in fp32
    assert not torch.allclose(DeepMLP(usual(9, "sigmoid"), 8, 0).double()(x).logits, tanh(x).logits, atol=1e-2)


def test_the_weights_of_gelu_keep_signal_and_gradient():
    """At the variance K of z that they keep, both factors of a layer are one; see `nets`."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    variance = 3.56155
    z = torch.from_numpy(variance**0.5 * nodes).requires_grad_()
    (slope,) = torch.autograd.grad(F.gelu(z).sum(), z)

    def mean(values: torch.Tensor) -> float:
        return float((torch.from_numpy(weights / weights.sum()) * values.detach()).sum())

    second = mean(F.gelu(z) ** 2)
    assert GELU_WEIGHTS * mean(slope**2) == pytest.approx(1, abs=1e-4)
    by_variance = mean(F.gelu(z) ** 2 * (z**2 - variance)) / (2 * variance**2)
    assert GELU_WEIGHTS * by_variance == pytest.approx(1, abs=1e-4)
    assert GELU_BIASES + GELU_WEIGHTS * second == pytest.approx(variance, abs=1e-3)
    layer = DeepMLP(Kind(2, "gelu", OWN["gelu"]), 500, seed=0).layers[1]
    assert float(layer.weight.detach().var()) == pytest.approx(GELU_WEIGHTS / 500, rel=0.02)
    assert float(layer.bias.detach().var()) == pytest.approx(GELU_BIASES, rel=0.2)


def test_the_probe_measures_the_gradient_of_the_weights_and_of_the_sums(images):
    net = DeepMLP(Kind(3, "sigmoid", "xavier"), width=12, seed=1).double()
    seen = probe(net, images)
    x, labels = pixel_values(torch.from_numpy(images.images)).double(), torch.from_numpy(images.labels)
    logits = net(x).logits
    F.cross_entropy(logits, labels).backward()
    expected = [float(layer.weight.grad.norm()) for layer in net.layers]
    np.testing.assert_allclose(seen["weight_gradients"], expected, rtol=1e-9)
    assert seen["accuracy"] == pytest.approx(float((logits.argmax(dim=1) == labels).double().mean()))

    one = images.select(slice(1))  # of one image, the bias gets exactly ∂loss/∂z
    net.zero_grad()
    F.cross_entropy(net(x[:1]).logits, labels[:1]).backward()
    expected = [float(layer.bias.grad.norm()) for layer in net.layers]
    np.testing.assert_allclose(probe(net, one)["gradients"], expected, rtol=1e-9)


def test_the_probe_leaves_the_net_as_it_was(images):
    net = DeepMLP(Kind(3, "relu", "he", "batch_norm"), width=12, seed=1).eval()
    before = copy.deepcopy(net.state_dict())
    probe(net, images)
    assert not net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_unit_is_dead_where_no_image_gets_through(images):
    relu, sigmoid = (DeepMLP(Kind(3, name, "he"), width=12, seed=1) for name in ("relu", "sigmoid"))
    with torch.no_grad():
        for net in (relu, sigmoid):
            net.layers[1].bias[4] = -1e4  # off whatever comes in
            net.layers[1].bias[5] = 1e4  # open for ReLU, saturated for the sigmoid
    assert probe(relu, images)["dead"][1, [4, 5]].tolist() == [True, False]
    assert probe(sigmoid, images)["dead"][1, [4, 5]].tolist() == [True, True]
    assert not probe(sigmoid, images)["dead"][0].any()


def test_small_numbers_that_are_easy_to_get_wrong():
    assert powers_lost(np.array([1e-3, 5.0, 1.0])) == pytest.approx(3)
    assert powers_lost(np.array([100.0, 1.0])) == pytest.approx(-2)
    assert powers_lost(np.array([0.0, 0.0])) == 0
    assert mean_cosine(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])) == pytest.approx(1 / 3)


def test_the_mathematics_of_depth(images):
    """Xavier's weights halve the square of ReLU's gradient a layer, He's keep it, a sigmoid takes a quarter each."""

    def lost(*kind: str) -> float:
        nets = (DeepMLP(Kind(30, *kind), 64, seed) for seed in range(3))
        return np.mean([powers_lost(probe(net, images)["gradients"]) for net in nets])

    assert lost("relu", "xavier") == pytest.approx(29 / 2 * np.log10(2), abs=0.7)
    assert abs(lost("relu", "he")) < 0.7
    assert lost("sigmoid", "xavier") > 29 * np.log10(4)
    assert abs(lost("sigmoid", "as_tanh")) < 1.5
    assert abs(lost("gelu", "gelu_critical")) < 2
    assert abs(lost("relu", "he", "both")) < 2
    assert lost("relu", "he", "batch_norm") < -1.5  # grows: Yang et al. 2019
    assert lost("relu", "he", "residual") < -4  # doubles its square a layer


def test_a_net_that_diverges_is_judged_all_the_same(parts, monkeypatch):
    def diverge(task, config):
        task.evaluate(task.model)
        raise UserError("the loss is no longer a finite number")

    monkeypatch.setattr(training, "train", diverge)
    kind = usual(2, "relu")
    assert try_rate(parts, TINY, kind, "sgd", 1.0) == {"rate": 1.0, "accuracy": 0.0, "loss": float("inf")}
    row, looks = train_net(parts, TINY, kind, "sgd", 1.0, seed=0)
    assert len(looks) == 1 + TINY.looks
    assert 0 <= row["test_accuracy"] <= 1


def test_the_rate_is_picked_by_accuracy_then_by_loss(parts, monkeypatch):
    trials = [{"rate": 1, "accuracy": 0.5, "loss": 2.0}, {"rate": 2, "accuracy": 0.9, "loss": 3.0},
              {"rate": 3, "accuracy": 0.9, "loss": 1.0}]  # fmt: skip
    assert best_rate(trials) == 3
    monkeypatch.setattr(training, "try_rate", lambda *_: trials.pop(0))
    made = training.train_nets(Study(range(1), data="digits"), "depth", {(usual(2, "relu"), "sgd"): (1, 2, 3)}, TINY)
    assert made["depth_rates"]["picked"].tolist() == [False, False, True]
    assert made["depth"]["rate"].tolist() == [3]


def verdicts(findings, *keys: str) -> str:
    """Return y, n or i (yes, no, inconclusive) of these findings, or of all."""
    said = {finding.key: finding.supported[0] for finding in findings}
    return "".join(said[key] for key in keys or said)


def starts(lost: float) -> Tables:
    """Return made-up looks before training, whose gradients lose `lost` powers of ten, a little more by seed."""
    cosines = {"sigmoid": 0.99, "tanh": 0.3, "relu": 0.95, "gelu": 0.5}
    rows = [
        {**dataclasses.asdict(kind), "seed": seed, "lost": lost + seed / 1000, "dead": 0.0,
         "last_weights": (5.0 + seed / 1e3) * (kind.weights == "he"), "cosine": cosines[kind.activation] + seed / 1e4}
        for kind in before_training.kinds(3) for seed in (0, 1)
    ]  # fmt: skip
    return {"start": pd.DataFrame(rows)}


def test_verdicts_on_the_start_follow_the_gradients():
    vanish = ("sigmoid_vanishes", "tanh_vanishes", "gelu_vanishes")
    keep = ("relu_he_keeps", "relu_xavier_keeps", "gelu_critical_keeps", "as_tanh_keeps")
    explode = [f"{block}_explodes" for block in BLOCKS[1:]]
    lost, gained = (before_training.findings(starts(powers)) for powers in (5.0, -5.0))
    assert verdicts(lost, *vanish, *keep, *explode) == "yyy" + "nnnn" + "nnn"
    assert verdicts(gained, *vanish, *keep, *explode) == "nnn" + "yyyy" + "yyy"
    assert verdicts(lost, "weights_tiny", "relu_images_alike", "none_born_dead", "xavier_halves") == "yyyn"
    halved = np.log10(2)  # in two steps the square falls to a quarter
    assert verdicts(before_training.findings(starts(halved)), "xavier_halves") == "y"


def trained(better: str, born_dead: float = 0.0, dead_after: float = 0.0, came_back: float = 0.0) -> Tables:
    """Return made-up trained networks; those with `better` in their description have a higher accuracy."""
    deepest = TINY.depths[-1]
    nets = {
        "depth": list(depth.nets_of(TINY)),
        "blocks": [(usual(deepest, activation, block), "sgd") for block in BLOCKS[1:] for activation in USUAL],
        "fair": [(usual(deepest, activation), "sgd") for activation in ("relu", "tanh", "gelu")]
        + [(Kind(deepest, activation, weights), "sgd") for activation, weights in OWN.items()]
        + [(usual(size, "relu", block), "sgd") for size, block in ((3, "plain"), (3, "batch_norm"), (6, "batch_norm"))],
    }  # fmt: skip
    tables = {}
    for name, of_table in nets.items():
        rows = []
        for kind, optimizer in of_table:
            described = f"{kind.activation} {kind.weights} {kind.block} {optimizer} {kind.depth} {name}"
            dead = kind.activation == "relu" and kind.depth == deepest
            rows += [
                {**dataclasses.asdict(kind), "optimizer": optimizer, "seed": seed, "lost_after": 6.0 + seed / 1e3,
                 "test_accuracy": 0.4 + 0.2 * (better in described) + seed / 1e4,
                 "dead": dead * born_dead, "dead_after": dead * dead_after, "came_back": came_back}
                for seed in (0, 1)
            ]  # fmt: skip
        tables[name] = pd.DataFrame(rows)
    return tables


def test_verdicts_on_accuracy_follow_the_test_set():
    races = [*(f"deep_over_{other}" for other in ("sigmoid", "tanh", "gelu")), "shallow_over_sigmoid"]
    rescue = ("adam_rescues_few", "adam_rescues_deepest")
    relu, tanh, adam = (depth.findings(trained(better)) for better in ("relu", "tanh", "adam"))
    assert verdicts(relu, *races, *rescue) == "yyyy" + "nn"
    assert verdicts(tanh, "deep_over_tanh") == "n"
    assert verdicts(adam, *rescue) == "yy"
    # the made-up gradients have vanished
    assert verdicts(relu, "sigmoid_gradient_returns", "relu_gradient_stays") == "nn"
    assert verdicts(depth.findings(trained("he plain")), "he_over_xavier") == "y"


def test_verdicts_on_dead_units_follow_the_counts():
    keys = ("deeper_is_deader", "fewer_dead_than_sigmoid", "dead_stay_dead")
    assert verdicts(depth.findings(trained("relu", 0.4, 0.1, came_back=0.7)), *keys) == "ynn"
    assert verdicts(depth.findings(trained("relu", 0.4, 0.4)), *keys) == "yny"
    assert verdicts(depth.findings(trained("relu", 0.0, 0.0, came_back=np.nan)), *keys) == "nny"
    born = starts(0.0)
    born["start"]["dead"] = 0.1
    assert verdicts(before_training.findings(born), "none_born_dead") == "n"
    assert verdicts(blocks.findings(trained("relu", 0.4, 0.4)), "both_hardly_any_dead") == "n"
    assert verdicts(blocks.findings(trained("relu", 0.4, 0.0)), "both_hardly_any_dead") == "y"


def test_verdicts_on_blocks_follow_the_test_set():
    helps = [f"{block}_helps" for block in BLOCKS[1:]]
    both = blocks.findings(trained("both"))
    assert verdicts(both, *helps, "activation_hardly_matters") == "nnyy"
    sigmoid = blocks.findings(trained("sigmoid xavier"))
    assert verdicts(sigmoid, "both_over_sigmoid", "sigmoid_batch_norm_wins", "activation_hardly_matters") == "nyn"


def test_verdicts_on_the_fairer_setting_follow_the_test_set():
    learned = fair_setting.findings(trained("fair"))
    assert verdicts(learned, "longer_helps", "right_weights_suffice", "longer_over_tanh") == "yyn"
    assert verdicts(fair_setting.findings(trained("he plain")), "right_weights_suffice") == "n"
    normalised = fair_setting.findings(trained("batch_norm"))
    assert verdicts(normalised, "batch_norm_helps_less_deep", "batch_norm_helps_longer") == "yy"
    scaled = fair_setting.findings(trained("gelu_critical"))
    assert verdicts(scaled, "gelu_own_over_he", "longer_over_gelu") == "yn"
