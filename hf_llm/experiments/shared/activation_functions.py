"""The activations of the lecture and their derivatives, as formulas: what the chain rule by hand needs of them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

ROOT_2_OVER_PI = math.sqrt(2 / math.pi)


class Activation(NamedTuple):
    """A function of one number, applied to each number of a tensor, and its derivative. Neither changes the shape."""

    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


def gelu(z: Tensor) -> Tensor:
    """z·Φ(z), where Φ is the normal distribution function (Hendrycks and Gimpel 2016)."""
    return z * torch.special.ndtr(z)


def gelu_derivative(z: Tensor) -> Tensor:
    """Φ(z) + z·φ(z), by the product rule; φ is the normal density, Φ's own derivative."""
    return torch.special.ndtr(z) + z * torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def gelu_tanh(z: Tensor) -> Tensor:
    """½ z (1 + tanh u) with u = √(2/π) (z + 0.044715 z³): GELU as GPT-2 computes it, since tanh was the faster one."""
    return 0.5 * z * (1 + torch.tanh(ROOT_2_OVER_PI * (z + 0.044715 * z**3)))


def gelu_tanh_derivative(z: Tensor) -> Tensor:
    """½ (1 + t) + ½ z (1 − t²) du/dz with t = tanh u: the product rule, then the chain rule through tanh."""
    t = torch.tanh(ROOT_2_OVER_PI * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * ROOT_2_OVER_PI * (1 + 3 * 0.044715 * z**2)


ACTIVATIONS = {
    "identity": Activation(lambda z: z, torch.ones_like),
    "sigmoid": Activation(torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),  # σ (1 − σ)
    "tanh": Activation(torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    # at 0 there is no derivative: any number from 0 to 1 would do, and 0 is the custom
    "relu": Activation(lambda z: z.clamp(min=0), lambda z: (z > 0).to(z.dtype)),
    "gelu": Activation(gelu, gelu_derivative),
    "gelu_tanh": Activation(gelu_tanh, gelu_tanh_derivative),
}
