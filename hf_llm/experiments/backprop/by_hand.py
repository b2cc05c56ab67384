"""Backpropagation written out, without autograd: activations, one neuron, a net of two layers.

All of it is the chain rule, read from the loss back to the weights:

    gradient of a quantity = local derivative × gradient of the next quantity

where the local derivative says how the next quantity changes with this one. So every step keeps what it computed on
the way forward, and needs nothing from further away than the quantity that comes next. Rumelhart, Hinton and Williams
1986, "Learning representations by back-propagating errors"; Goodfellow, Bengio and Courville 2016, section 6.5.

>>> net = TwoLayerNet(inputs=2, hidden=16, classes=2, activation="relu", seed=0)
>>> values = net.forward(x, labels)
>>> gradients = net.backward(values)
>>> net.step(gradients, learning_rate=0.5)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

ROOT_2_OVER_PI = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class Activation:
    """A function of one number, applied to each number of a tensor, and its derivative. Neither changes the shape."""

    formula: str
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
    "identity": Activation("z", lambda z: z, torch.ones_like),
    "sigmoid": Activation("σ(z)", torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),  # σ (1 − σ)
    "tanh": Activation("tanh(z)", torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    # at 0 there is no derivative: any number from 0 to 1 would do, and 0 is the custom
    "relu": Activation("max(0, z)", lambda z: z.clamp(min=0), lambda z: (z > 0).to(z.dtype)),
    "gelu": Activation("z·Φ(z)", gelu, gelu_derivative),
    "gelu_tanh": Activation("½ z (1 + tanh u)", gelu_tanh, gelu_tanh_derivative),
}


@dataclass(frozen=True)
class Quantity:
    """One number of a neuron's computation.

    Args:
        name: What it is.
        formula: How it is computed; empty for what comes in from outside.
        value: Its value, from the forward pass.
        local_derivative: The derivative of the next quantity by this one.
        gradient: The derivative of the loss by this one: local_derivative × the gradient of the next quantity.
    """

    name: str
    formula: str
    value: float
    local_derivative: float
    gradient: float


def neuron(x: Tensor, w: Tensor, b: Tensor, y: Tensor, activation: str, loss: str) -> list[Quantity]:
    """Compute one neuron and its loss forward, and all gradients backward.

    Args:
        x: Inputs, shape (n,).
        w: Weights, shape (n,).
        b: Bias, a number.
        y: Target, a number; 0 or 1 for the cross-entropy.
        activation: Key of `ACTIVATIONS`. The cross-entropy wants outputs between 0 and 1, that is the sigmoid.
        loss: "squared" for (a − y)², or "cross-entropy" for −y ln a − (1 − y) ln(1 − a).

    Returns:
        The weights, the bias, the inputs, then weighted sum z, output a and loss L.
    """
    # forward: each line uses the ones before it
    z = (w * x).sum() + b
    a = ACTIVATIONS[activation].value(z)
    if loss == "squared":
        L, dL_da, loss_formula = (a - y) ** 2, 2 * (a - y), "(a − y)²"
    else:
        L = -(y * torch.log(a) + (1 - y) * torch.log(1 - a))
        dL_da, loss_formula = (a - y) / (a * (1 - a)), "−y ln a − (1 − y) ln(1 − a)"

    # backward: each line uses the ones before it, from the loss on
    da_dz = ACTIVATIONS[activation].derivative(z)
    dL_dz = da_dz * dL_da
    dz_dw, dz_dx, dz_db = x, w, torch.ones_like(b)  # z = w·x + b, differentiated by each of its parts
    dL_dw, dL_dx, dL_db = dz_dw * dL_dz, dz_dx * dL_dz, dz_db * dL_dz

    inputs = range(1, len(x) + 1)
    rows = [
        *((f"w{i}", "", w[i - 1], dz_dw[i - 1], dL_dw[i - 1]) for i in inputs),
        ("b", "", b, dz_db, dL_db),
        *((f"x{i}", "", x[i - 1], dz_dx[i - 1], dL_dx[i - 1]) for i in inputs),
        ("z", " + ".join(f"w{i}·x{i}" for i in inputs) + " + b", z, da_dz, dL_dz),
        ("a", ACTIVATIONS[activation].formula, a, dL_da, dL_da),
        ("L", loss_formula, L, torch.ones(()), torch.ones(())),
    ]
    return [Quantity(name, formula, *map(float, numbers)) for name, formula, *numbers in rows]


class TwoLayerNet:
    """Linear, activation, linear, softmax cross-entropy; with H hidden units, on a batch of B samples.

        z      = x W_hiddenᵀ + b_hidden        (B, H)         the hidden units' weighted sums
        a      = f(z)                          (B, H)
        logits = a W_outputᵀ + b_output        (B, classes)
        p      = softmax(logits)               (B, classes)
        loss   = mean over the batch of −ln p[label]

    Args:
        inputs, hidden, classes: Sizes.
        activation: Key of `ACTIVATIONS`.
        seed: Draws the weights as `torch.nn.Linear` does: uniform between ±1/√(inputs of the layer).
    """

    def __init__(self, inputs: int, hidden: int, classes: int, activation: str, seed: int):
        generator = torch.Generator().manual_seed(seed)

        def uniform(*shape: int, fan_in: int) -> Tensor:
            return (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1) / math.sqrt(fan_in)

        self.activation = activation
        self.parameters = {
            "hidden.weight": uniform(hidden, inputs, fan_in=inputs),  # (H, inputs)
            "hidden.bias": uniform(hidden, fan_in=inputs),  # (H,)
            "output.weight": uniform(classes, hidden, fan_in=hidden),  # (classes, H)
            "output.bias": uniform(classes, fan_in=hidden),  # (classes,)
        }

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return every intermediate by its name, for `backward` to use: x (B, inputs), labels (B,), loss a number."""
        weights = self.parameters
        z = x @ weights["hidden.weight"].T + weights["hidden.bias"]  # (B, H)
        a = ACTIVATIONS[self.activation].value(z)  # (B, H)
        logits = a @ weights["output.weight"].T + weights["output.bias"]  # (B, classes)
        shifted = logits - logits.max(dim=1, keepdim=True).values  # softmax stays the same, and exp cannot overflow
        log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()  # (B, classes)
        loss = -log_p[torch.arange(len(labels)), labels].mean()
        return {"x": x, "z": z, "a": a, "logits": logits, "p": log_p.exp(), "labels": labels, "loss": loss}

    def backward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the gradient of the loss by each parameter and by logits, a, z and x; each has its quantity's shape.

        Where a parameter serves all samples, its gradient is the sum over them: a product of matrices does that.
        """
        weights, x, a = self.parameters, values["x"], values["a"]
        target = torch.nn.functional.one_hot(values["labels"], values["p"].shape[1])  # (B, classes)
        d_logits = (values["p"] - target) / len(x)  # (B, classes): softmax and logarithm together leave p − y
        d_a = d_logits @ weights["output.weight"]  # (B, H): back through the weights that led forward
        d_z = d_a * ACTIVATIONS[self.activation].derivative(values["z"])  # (B, H): number by number
        return {
            "output.weight": d_logits.T @ a,  # (classes, H)
            "output.bias": d_logits.sum(dim=0),  # (classes,)
            "hidden.weight": d_z.T @ x,  # (H, inputs)
            "hidden.bias": d_z.sum(dim=0),  # (H,)
            "logits": d_logits,
            "a": d_a,
            "z": d_z,
            "x": d_z @ weights["hidden.weight"],  # (B, inputs): what a layer below would go on with
        }

    def step(self, gradients: dict[str, Tensor], learning_rate: float) -> None:
        """Gradient descent: move each parameter against its gradient."""
        for name in self.parameters:
            self.parameters[name] = self.parameters[name] - learning_rate * gradients[name]
