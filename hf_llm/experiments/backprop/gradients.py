"""The gradients of a two-layer net before training, by hand, held against two judges that know nothing of each other.

Autograd applies the chain rule as well; finite differences use no derivative at all. And a net without activation is
compared with the single layer that it amounts to.
"""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.experiments.backprop.moons import ROUNDING, TORCH_ACTIVATIONS, moons, new_net, torch_twin
from hf_llm.experiments.frame import Finding, Study, Tables, exact, select
from hf_llm.experiments.shared.two_layer_net import TwoLayerNet

PARAMETERS = ["hidden.weight", "hidden.bias", "output.weight", "output.bias"]
DISTANCE = 1e-5  # of a finite difference: much smaller and rounding eats the result
TRUNCATION = 1e-6  # central differences at that distance come at least so close


def measure(study: Study) -> Tables:
    """Compare each activation's gradients; the seed varies data and weights."""
    cells = [(activation, seed) for activation in TORCH_ACTIVATIONS for seed in study.seeds]
    return {"gradients": pd.DataFrame([compare(*cell) for cell in study.track(cells)])}


def compare(activation: str, seed: int) -> dict:
    """Return how far the judges are from the gradients by hand: a row of the table `gradients`."""
    x, labels = moons(seed)
    net = new_net(activation, seed)
    values = net.forward(x, labels)
    by_hand = net.backward(values)
    twin = torch_twin(net)
    nn.functional.cross_entropy(twin(x), labels).backward()
    autograd = {name: parameter.grad for name, parameter in twin.named_parameters()}
    numeric = {
        name: finite_differences(lambda: net.forward(x, labels)["loss"], net.parameters[name]) for name in PARAMETERS
    }
    return {
        "activation": activation, "seed": seed,
        **{name: relative_difference(by_hand[name], autograd[name]) for name in PARAMETERS},
        "finite_differences": max(relative_difference(by_hand[name], numeric[name]) for name in PARAMETERS),
        # weighted sums so close to zero that a finite difference makes them cross it
        "crossings": int((values["z"].abs() < DISTANCE * x.abs().amax(dim=1, keepdim=True).clamp(min=1)).sum()),
        "one_layer": relative_difference(values["logits"], one_layer(net, x)),
    }  # fmt: skip


def finite_differences(loss: Callable[[], Tensor], parameter: Tensor) -> Tensor:
    """Return (loss(w + h) − loss(w − h)) / 2h for each number w of `parameter`, and leave it as it was.

    It needs no derivative at all, which makes it a good judge, and two forward passes for each weight, which is why
    nobody trains with it: backpropagation gets all gradients from a single pass back.
    """
    gradient, numbers = torch.empty_like(parameter), parameter.view(-1)
    for i, number in enumerate(numbers.tolist()):
        numbers[i] = number + DISTANCE
        above = loss()
        numbers[i] = number - DISTANCE
        below = loss()
        numbers[i] = number
        gradient.view(-1)[i] = (above - below) / (2 * DISTANCE)
    return gradient


def one_layer(net: TwoLayerNet, x: Tensor) -> Tensor:
    """Return what one linear layer with the product of both matrices computes, (B, classes)."""
    w = net.parameters
    weight = w["output.weight"] @ w["hidden.weight"]  # (classes, inputs)
    bias = w["output.weight"] @ w["hidden.bias"] + w["output.bias"]  # (classes,)
    return x @ weight.T + bias


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference, relative to the largest number of `theirs`."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def findings(tables: Tables) -> list[Finding]:
    """Each an identity: the largest error over the seeds."""
    table = tables["gradients"]

    def largest(column, **settings) -> float:
        return float(select(table, **settings)[column].to_numpy().max())

    return [
        exact("autograd", largest(PARAMETERS), ROUNDING, "below"),
        exact("smooth", largest("finite_differences", activation=["tanh", "sigmoid"]), TRUNCATION, "below"),
        exact("kinked", largest("finite_differences", activation="relu"), TRUNCATION, "below"),
        exact("one_layer", largest("one_layer", activation="identity"), ROUNDING, "below"),
    ]
