"""Lab `relu-depth`, the nets: as many hidden layers as wanted, with the activation and the first weights to be chosen.

    (B, 1, 28, 28) → 784 → width → … → width → 10        each hidden layer: linear, [batch norm,] activation, [+ input]

The classifiers of `hf_llm.models` tie the first weights to the activation; here the two are apart, which is what the
question needs.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

PIXELS, CLASSES = 28 * 28, 10
FUNCTIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "gelu": F.gelu}
XAVIER, HE = "xavier", "he"
# Glorot and Bengio 2010: variance 2 / (inputs + outputs), which keeps a signal that passes through a linear layer.
# He et al. 2015: variance 2 / inputs, twice as much in a square layer, since ReLU cuts half of the signal off.
DRAWS = {XAVIER: nn.init.xavier_normal_, HE: nn.init.kaiming_normal_}
RESCUES = {"none": {}, "batch_norm": {"batch_norm": True}, "shortcuts": {"shortcuts": True},
           "both": {"batch_norm": True, "shortcuts": True}}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What a net is made of, but for its width.

    Args:
        depth: Hidden layers.
        activation: One of `FUNCTIONS`.
        weights: One of `DRAWS`, the first weights.
        batch_norm: Whether each hidden layer is normalised before its activation (Ioffe and Szegedy 2015).
        shortcuts: Whether a hidden layer's input is added to its output (He et al. 2016), from the second one on.
    """

    depth: int
    activation: str
    weights: str
    batch_norm: bool = False
    shortcuts: bool = False

    @property
    def rescue(self) -> str:
        """Which of `RESCUES` it has."""
        return {(False, False): "none", (True, False): "batch_norm", (False, True): "shortcuts", (True, True): "both"}[
            self.batch_norm, self.shortcuts
        ]


class DeepMLP(nn.Module):
    """A multilayer perceptron, in fp32, in training mode. Its weights depend on its arguments alone.

    The same seed draws the same numbers for every kind of a depth: between Xavier and He only their size differs.
    """

    def __init__(self, kind: Kind, width: int, seed: int):
        super().__init__()
        self.kind = kind
        sizes = [PIXELS, *[width] * kind.depth]
        self.layers = nn.ModuleList(nn.Linear(inputs, width) for inputs in sizes[:-1])
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) if kind.batch_norm else nn.Identity() for _ in self.layers)
        self.classifier = nn.Linear(width, CLASSES)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            for linear in (*self.layers, self.classifier):
                DRAWS[kind.weights](linear.weight)
                nn.init.zeros_(linear.bias)

    def forward(self, pixel_values: Tensor, sums: list[Tensor] | None = None) -> ImageClassifierOutput:
        """Return the logits (B, 10) of images (B, 1, 28, 28); append what each activation receives to `sums`."""
        hidden, function = pixel_values.flatten(1), FUNCTIONS[self.kind.activation]
        for number, (linear, norm) in enumerate(zip(self.layers, self.norms)):
            z = norm(linear(hidden))  # (B, width)
            if sums is not None:
                sums.append(z)
            output = function(z)
            hidden = hidden + output if self.kind.shortcuts and number > 0 else output
        return ImageClassifierOutput(logits=self.classifier(hidden))
