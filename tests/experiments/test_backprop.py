"""The chain rule written by hand is autograd's, and the lab says so only where it is true."""

import pandas as pd
import pytest
import torch
from torch import nn

from hf_llm.experiments.backprop.gradients import finite_differences
from hf_llm.experiments.backprop.lab import LAB
from hf_llm.experiments.backprop.neuron import draw, neuron
from hf_llm.experiments.frame.lab import Say
from hf_llm.experiments.frame.study import Study, select
from hf_llm.experiments.shared.activation_functions import ACTIVATIONS
from hf_llm.experiments.shared.two_layer_net import TwoLayerNet
from hf_llm.texts import LANGUAGES

TORCH = {
    "identity": nn.Identity(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
}


def supported(tables) -> dict[str, str]:
    return {finding.key: finding.supported for finding in LAB.findings(tables)}


@pytest.fixture(scope="module")
def tables():
    return LAB.measure(Study(range(2), quick=True))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives_are_those_of_torch(name):
    z = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)  # 0 included, where ReLU has its kink
    value = TORCH[name](z)
    value.sum().backward()
    torch.testing.assert_close(ACTIVATIONS[name].value(z.detach()), value.detach(), rtol=0, atol=1e-14)
    torch.testing.assert_close(ACTIVATIONS[name].derivative(z.detach()), z.grad, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("activation", "loss"), [("sigmoid", "squared"), ("sigmoid", "cross_entropy"), ("tanh", "squared")]
)
def test_each_gradient_of_a_neuron_is_its_local_derivative_times_the_next_gradient(activation, loss):
    x, w = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([1.5, 0.4, -0.7])
    rows = {row.quantity: row for row in neuron(x, w, torch.tensor(0.1), torch.tensor(1.0), activation, loss)}
    following = {"z": "a", "a": "L"} | {name: "z" for name in rows if name not in ("z", "a", "L")}
    assert len(following) == 3 + 3 + 1 + 2
    for name, after in following.items():
        assert rows[name].gradient == pytest.approx(rows[name].local_derivative * rows[after].gradient)


def test_sigmoid_with_cross_entropy_leaves_output_minus_target():
    x, w = torch.tensor([0.3, -1.2]), torch.tensor([1.5, 0.4])
    rows = {row.quantity: row for row in neuron(x, w, torch.tensor(0.1), torch.tensor(1.0), "sigmoid", "cross_entropy")}
    assert rows["z"].gradient == pytest.approx(rows["a"].value - 1.0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_all_gradients_of_the_net_are_autograds(activation):
    net = TwoLayerNet(inputs=3, hidden=5, classes=4, activation=activation, seed=1)
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(4, (7,), generator=generator)
    ours = net.backward(net.forward(x, labels))

    x.requires_grad_()
    w = {name: value.clone().requires_grad_() for name, value in net.parameters.items()}
    z = nn.functional.linear(x, w["hidden.weight"], w["hidden.bias"])
    a = TORCH[activation](z)
    logits = nn.functional.linear(a, w["output.weight"], w["output.bias"])
    nodes = {**w, "x": x, "z": z, "a": a, "logits": logits}
    for node in nodes.values():
        node.retain_grad()
    nn.functional.cross_entropy(logits, labels).backward()
    assert set(ours) == set(nodes)
    for name, node in nodes.items():
        torch.testing.assert_close(ours[name], node.grad, rtol=1e-12, atol=1e-15)


def test_the_loss_stays_finite_for_huge_logits():
    net = TwoLayerNet(inputs=2, hidden=3, classes=2, activation="identity", seed=0)
    values = net.forward(torch.full((1, 2), 1e6, dtype=torch.float64), torch.tensor([0]))
    assert values["loss"].isfinite()
    assert all(gradient.isfinite().all() for gradient in net.backward(values).values())


def test_finite_differences_leave_the_parameter_as_it_was():
    parameter = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    gradient = finite_differences(lambda: (parameter**3).sum(), parameter)
    assert parameter.tolist() == [[1.0, -2.0]]
    torch.testing.assert_close(gradient, torch.tensor([[3.0, 12.0]], dtype=torch.float64), rtol=1e-8, atol=0)


def test_the_same_seeds_give_the_same_tables(tables):
    again = LAB.measure(Study(range(2), quick=True))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)


def test_the_claims_that_are_mathematics_hold(tables):
    said = supported(tables)
    assert all(said[key] == "yes" for key in ("neuron", "autograd", "smooth", "curves", "one_layer", "sigmoid_passes"))
    assert said["relu_passes"] == "no"


def test_a_sigmoid_lets_a_quarter_back_at_zero_and_less_elsewhere():
    derivative = ACTIVATIONS["sigmoid"].derivative
    z = torch.linspace(-6, 6, 240, dtype=torch.float64)  # without 0
    assert derivative(torch.zeros(1)) == 1 / 4
    assert (derivative(z) < 1 / 4).all()


def test_a_wrong_derivative_is_found_out(monkeypatch):
    """The verdicts follow what was measured: tanh' = 1 − tanh would be seen by all three judges."""
    wrong = ACTIVATIONS["tanh"]._replace(derivative=lambda z: 1 - torch.tanh(z))
    monkeypatch.setitem(ACTIVATIONS, "tanh", wrong)
    said = supported(LAB.measure(Study(range(1), quick=True)))
    assert [said[key] for key in ("autograd", "smooth", "curves")] == ["no", "no", "no"]
    assert said["neuron"] == "yes"  # it uses sigmoid and ReLU


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture_of_the_neuron_shows_the_values_of_its_table(tables, lang):
    (axis,) = draw(tables, Say("backprop", lang)).axes
    drawn = " ".join(text.get_text() for text in axis.texts)
    mark = "," if lang == "pt-BR" else "."
    for gradient in select(tables["neuron"], activation="sigmoid", loss="squared")["gradient"]:
        assert f"{gradient:.4g}".replace("-", "−").replace(".", mark) in drawn
