"""An MLP with dropout as in training, on weights that stay as they are: which units are off, and what it answers."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel


class Pass(NamedTuple):
    """One pass through the network, fp32."""

    units: np.ndarray  # (units,) of the first hidden layer, after dropout
    probabilities: np.ndarray  # (classes,)


@torch.no_grad()
def with_dropout(model: PreTrainedModel, pixel_values: Tensor, p: float, seed: int) -> Pass:
    """Return one pass of an image, (1, 1, 28, 28), through an MLP in evaluation mode, its hidden units dropped out.

    Args:
        model: An `MLPForImageClassification`; its own dropout is off.
        pixel_values: The image.
        p: With which probability a unit is off; 0 is evaluation.
        seed: Of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    hidden, first = pixel_values.flatten(1), None  # (1, 784)
    for layer in model.layers:
        hidden = layer(hidden)  # (1, units)
        kept = torch.rand(hidden.shape, generator=generator) >= p
        hidden = hidden * kept / (1 - p)  # the mean over many draws is the sum without dropout
        first = hidden if first is None else first
    return Pass(first[0].numpy(), model.classifier(hidden)[0].softmax(-1).numpy())
