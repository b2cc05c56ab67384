"""Part of the lab `activations`: does it matter that an activation's outputs have mean zero?

Comparing tanh with the sigmoid does not answer that, since they differ in slope and range as well. So each is compared
with itself, moved: tanh(z) with 1 + tanh(z), and σ(z) with σ(z) − ½. Slope and saturation are those of its twin, and
the next layer's biases start where they cancel the move, so that both nets compute the same function at the start.
What differs is the mean of what the next layer gets as its input, and with it the gradients of its weights, which
share a large common part (LeCun et al. 1998, "Efficient BackProp", section 4.3).
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from hf_llm.experiments.shared.toy_data import batches, digits

SIZES = (64, 64, 64, 10)  # pixels, two hidden layers, classes
BATCH = 64
# {name: (the centred function, what is added to it)}
VARIANTS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "tanh": (torch.tanh, 0.0),
    "tanh_moved": (torch.tanh, 1.0),
    "sigmoid_centred": (lambda z: torch.sigmoid(z) - 0.5, 0.0),
    "sigmoid": (lambda z: torch.sigmoid(z) - 0.5, 0.5),
}


class MovedNet(nn.Module):
    """A net of linear layers whose hidden outputs are `centred(z) + move`.

    Args:
        centred: Activation whose outputs have mean zero for inputs with mean zero.
        move: Added to each hidden output.
        seed: Draws the weights, the same ones for every `move`.
    """

    def __init__(self, centred: Callable[[Tensor], Tensor], move: float, seed: int):
        super().__init__()
        self.centred, self.move = centred, move
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairwise(SIZES))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer in self.layers:  # as nn.Linear does, but for the generator
                for parameter in layer.parameters():
                    parameter.uniform_(-1, 1, generator=generator).div_(math.sqrt(layer.in_features))
            for layer in self.layers[1:]:
                layer.bias -= move * layer.weight.sum(dim=1)  # W (a + move) + b − W move = W a + b

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = self.centred(layer(x)) + self.move  # (B, 64)
        return self.layers[-1](x)  # (B, 10)


def centring_curve(variant: str, learning_rate: float, seed: int, steps: int, points: int) -> dict[str, list]:
    """Train by SGD and return the loss on all training images at `points` steps, the last one included."""
    x, labels = digits()["training"]
    x = x - x.mean(dim=0)  # the input is centred for all of them
    net = MovedNet(*VARIANTS[variant], seed).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate)
    shown, losses = [], []
    for step, batch in enumerate(batches(len(x), BATCH, steps, seed)):
        if step % (steps // points) == 0:
            shown.append(step)
            losses.append(_loss(net, x, labels))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[batch]), labels[batch]).backward()
        optimizer.step()
    return {"steps": [*shown, steps], "losses": [*losses, _loss(net, x, labels)]}


@torch.no_grad()
def _loss(net: nn.Module, x: Tensor, labels: Tensor) -> float:
    return nn.functional.cross_entropy(net(x), labels).item()
