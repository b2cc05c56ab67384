"""The lab on activations: what it counts is what it says, and its verdicts follow the counts."""

import copy

import pytest
import torch
from lab_checks import check

from hf_llm.experiments.activations import lab as activations
from hf_llm.experiments.activations.dead_units import dead_units, kill_and_nurse
from hf_llm.experiments.activations.zero_centring import VARIANTS, MovedNet
from hf_llm.experiments.backprop.by_hand import TwoLayerNet
from hf_llm.experiments.config import ExperimentConfig


def run(seeds=2):
    return activations.run(ExperimentConfig(output_dir="unused", quick=True, seeds=seeds), lambda done, total: None)


def supported(findings) -> dict[str, str]:
    """Return the verdicts by the name of their claim."""
    names = {words[0].en: name for name, words in activations.CLAIMS.items()}
    return {names[finding.claim.en]: finding.supported for finding in findings}


@pytest.fixture(scope="module")
def result():
    return run()


@pytest.fixture
def rows(result):
    return copy.deepcopy({name: table.rows for name, table in result.tables.items()})


def test_the_result_keeps_the_rules(result):
    check(result)
    assert supported(result.findings).keys() == activations.CLAIMS.keys()


def test_the_same_seeds_give_the_same_tables(result):
    again = run()
    assert again.tables == result.tables
    assert again.findings == result.findings


def test_what_is_mathematics_holds(result):
    said = supported(result.findings)
    for name in ("autograd", "quarter", "positive", "on_average", "tanh_centred", "dip", "approximation"):
        assert said[name] == "yes", name
    for name in ("dead_gradient", "revived", "relu_centred"):
        assert said[name] == "no", name


def test_the_verdict_on_the_lectures_claim_follows_the_counts(rows):
    normal = {row["activation"]: row["seeds"] for row in rows["normal"]}
    normal["sigmoid"]["saturated_1"], normal["relu"]["saturated_1"] = [0.9, 0.9], [0.1, 0.1]
    assert supported(activations.findings(rows))["dead_gradient"] == "yes"
    normal["relu"]["saturated_1"] = [0.2, 1.0]
    assert supported(activations.findings(rows))["dead_gradient"] == "unclear"


def test_the_mean_output_of_tanh_may_turn_out_not_to_be_zero(rows):
    tanh = next(row for row in rows["normal"] if row["activation"] == "tanh")["seeds"]
    tanh["mean"] = [0.1, 0.1001]
    assert supported(activations.findings(rows))["tanh_centred"] == "no"
    tanh["mean"] = [-0.1, 0.1]
    assert supported(activations.findings(rows))["tanh_centred"] == "unclear"


def test_saturation_is_counted_on_both_sides():
    z = torch.tensor([-10.0, -0.5, 0.5, 10.0], dtype=torch.float64)
    assert activations.saturated_share("sigmoid", z) == 0.5
    assert activations.saturated_share("tanh", z) == 0.5
    assert activations.saturated_share("relu", z) == 0.5
    assert activations.saturated_share("gelu", z) == 0.25  # like ReLU's far from zero, unlike it near


def test_a_unit_is_dead_only_if_it_is_off_for_every_image():
    net = TwoLayerNet(inputs=2, hidden=3, classes=2, activation="relu", seed=0)
    net.parameters["hidden.weight"] = torch.eye(3, 2, dtype=torch.float64)
    net.parameters["hidden.bias"] = torch.tensor([-1.0, -1.0, -1.0], dtype=torch.float64)
    images = torch.tensor([[2.0, 0.5], [0.0, 0.5], [0.0, 0.5]], dtype=torch.float64)
    values = net.forward(images, torch.tensor([0, 1, 1]))
    assert dead_units(net, values).tolist() == [False, True, True]


def test_a_high_rate_kills_relu_for_good_and_a_gentle_one_does_not():
    gentle, harsh = (kill_and_nurse("relu", rate, seed=0, steps=60) for rate in (0.1, 3.0))
    assert gentle["after"] < 0.1
    assert harsh["after"] > 0.5
    assert harsh["later"] >= harsh["after"]  # none comes back
    assert harsh["revived"] == 0


@pytest.mark.parametrize(("centred", "moved"), [("tanh", "tanh_moved"), ("sigmoid_centred", "sigmoid")])
def test_a_moved_net_starts_as_the_same_function_with_other_gradients(centred, moved):
    x = torch.rand(8, 64, generator=torch.Generator().manual_seed(0))
    outputs, gradients = [], []
    for name in (centred, moved):
        net = MovedNet(*VARIANTS[name], seed=3)
        output = net(x)
        output.square().sum().backward()
        outputs.append(output.detach())
        gradients.append(net.layers[-1].weight.grad)
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(*gradients, rtol=0.01)
    with torch.no_grad():
        z = torch.linspace(-3, 3, 13)
        function, move = VARIANTS[moved]
        assert {"tanh_moved": 1 + torch.tanh(z), "sigmoid": torch.sigmoid(z)}[moved].allclose(function(z) + move)


def test_each_function_is_judged_by_its_best_rate(result):
    rows = result.tables["centring"].rows
    for name in VARIANTS:
        of_variant = [row for row in rows if row["variant"] == name]
        assert [row["loss"] for row in of_variant if row["best"]] == [min(row["loss"] for row in of_variant)]
