"""What both parts that use the two-layer net share: the two half moons, and the same net as PyTorch would have it."""

from collections import OrderedDict

import torch
from sklearn.datasets import make_moons
from torch import Tensor, nn

from hf_llm.experiments.shared.two_layer_net import TwoLayerNet

TORCH_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}
SAMPLES, HIDDEN = 500, 16
ROUNDING = 1e-9  # what float64 may make of two orders of summation, also after a thousand steps


def moons(seed: int, held_out: bool = False) -> tuple[Tensor, Tensor]:
    """Return two interleaving half circles: x (samples, 2) with mean 0 and variance 1, labels (samples,)."""
    x, labels = make_moons(SAMPLES, noise=0.2, random_state=2 * seed + held_out)
    mean, deviation = torch.tensor([0.5, 0.25]), torch.tensor([0.89, 0.53])  # of the moons; the same for both parts
    return (torch.tensor(x) - mean) / deviation, torch.tensor(labels)


def new_net(activation: str, seed: int) -> TwoLayerNet:
    return TwoLayerNet(inputs=2, hidden=HIDDEN, classes=2, activation=activation, seed=seed)


def torch_twin(net: TwoLayerNet) -> nn.Sequential:
    """Return the same net, with copies of its weights, as one would write it in PyTorch."""
    classes, hidden = net.parameters["output.weight"].shape
    twin = nn.Sequential(OrderedDict(
        hidden=nn.Linear(net.parameters["hidden.weight"].shape[1], hidden),
        activation=TORCH_ACTIVATIONS[net.activation](),
        output=nn.Linear(hidden, classes),
    )).double()  # fmt: skip
    twin.load_state_dict(net.parameters)
    return twin
