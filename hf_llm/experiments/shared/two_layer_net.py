"""A net of two layers with backpropagation written out, without autograd.

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

import torch
from torch import Tensor

from hf_llm.experiments.shared.activation_functions import ACTIVATIONS


class TwoLayerNet:
    """Linear, activation, linear, softmax cross-entropy; with H hidden units, on a batch of B samples.

        z      = x W_hiddenᵀ + b_hidden        (B, H)         the hidden units' weighted sums
        a      = f(z)                          (B, H)
        logits = a W_outputᵀ + b_output        (B, classes)
        p      = softmax(logits)               (B, classes)
        loss   = mean over the batch of −ln p[label]

    `activation` is a key of `ACTIVATIONS`; the seed draws the weights as `torch.nn.Linear` does: uniform between
    ±1/√(inputs of the layer).
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
