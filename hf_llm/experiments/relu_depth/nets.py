"""The networks: as many hidden layers as wanted, with the activation and the initial weights to be chosen apart.

    (B, 1, 28, 28) → 784 → width → … → width → 10    each hidden layer: linear, [batch norm,] activation, [+ its input]

The classifiers of `hf_llm.models` tie the initial weights to the activation.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

PIXELS, CLASSES = 28 * 28, 10
FUNCTIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "gelu": F.gelu}
# Variances with which signal and gradient both keep their size through GELU: of its weights, times inputs, and of its
# biases. They are C_w and C_b where C_w E[GELU'(z)²] is 1, and so is the slope of C_b + C_w E[GELU(z)²] by the variance
# of z (Roberts, Yaida and Hanin 2022, "The principles of deep learning theory", section 5.3). ReLU's are 2 and 0: He's.
GELU_WEIGHTS, GELU_BIASES = 1.98306, 0.17292
# what surrounds the activation: nothing, batch norm (Ioffe and Szegedy 2015), a residual connection (He et al. 2016)
BLOCKS = ("plain", "batch_norm", "residual", "both")


# Glorot and Bengio 2010: variance 2 / (inputs + outputs), which keeps a signal that passes through a linear layer.
# He et al. 2015: variance 2 / inputs, twice as much in a square layer, since ReLU cuts half of the signal off.
WEIGHTS = {
    "xavier": nn.init.xavier_normal_, "he": nn.init.kaiming_normal_,
    "gelu_critical": lambda weight: nn.init.normal_(weight, std=(GELU_WEIGHTS / weight.shape[1]) ** 0.5),
    "as_tanh": nn.init.xavier_normal_,
}  # fmt: skip
USUAL = {"sigmoid": "xavier", "tanh": "xavier", "relu": "he", "gelu": "he"}  # what each activation is usually given
OWN = {"gelu": "gelu_critical", "sigmoid": "as_tanh"}  # made for activations for which neither Xavier's nor He's are


@dataclass(frozen=True)
class Kind:
    """What a network is made of, but for its width."""

    depth: int  # hidden layers
    activation: str  # one of FUNCTIONS
    weights: str  # one of WEIGHTS, the initial weights
    block: str = "plain"  # of BLOCKS; a residual connection leaves the first layer out, whose input has another width


def usual(depth: int, activation: str, block: str = "plain") -> Kind:
    """Return the network with the usual initial weights of its activation."""
    return Kind(depth, activation, USUAL[activation], block)


class DeepMLP(nn.Module):
    """A multilayer perceptron, in fp32, in training mode. Its weights depend on its arguments alone.

    The same seed draws the same numbers for every kind of a depth: between Xavier and He only their size differs.
    """

    def __init__(self, kind: Kind, width: int, seed: int):
        super().__init__()
        self.kind = kind
        normalise, self.residual = kind.block in ("batch_norm", "both"), kind.block in ("residual", "both")
        inputs = [PIXELS, *[width] * (kind.depth - 1)]
        self.layers = nn.ModuleList(nn.Linear(size, width) for size in inputs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) if normalise else nn.Identity() for _ in inputs)
        self.classifier = nn.Linear(width, CLASSES)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            for linear in (*self.layers, self.classifier):
                WEIGHTS[kind.weights](linear.weight)
                nn.init.zeros_(linear.bias)
            if kind.weights == "gelu_critical":
                for linear in self.layers:
                    nn.init.normal_(linear.bias, std=GELU_BIASES**0.5)
            if kind.weights == "as_tanh":
                self._sigmoids_as_tanh()

    @torch.no_grad()
    def _sigmoids_as_tanh(self) -> None:
        """Turn the weights of a tanh network into those of the sigmoid network that computes the same.

        tanh(z) = 2 σ(2z) − 1: what a layer receives is doubled, and so is what it takes from sigmoids, less their ½.
        """
        for linear, receives in (*((layer, 2) for layer in self.layers), (self.classifier, 1)):
            linear.weight *= receives
            if linear is not self.layers[0]:
                linear.weight *= 2
                linear.bias -= linear.weight.sum(dim=1) / 2

    def forward(self, pixel_values: Tensor, sums: list[Tensor] | None = None) -> ImageClassifierOutput:
        """Return the logits (B, 10) of images (B, 1, 28, 28); append what each activation receives to `sums`."""
        hidden, function = pixel_values.flatten(1), FUNCTIONS[self.kind.activation]
        for number, (linear, norm) in enumerate(zip(self.layers, self.norms)):
            z = norm(linear(hidden))  # (B, width)
            if sums is not None:
                sums.append(z)
            output = function(z)
            hidden = hidden + output if self.residual and number > 0 else output
        return ImageClassifierOutput(logits=self.classifier(hidden))
