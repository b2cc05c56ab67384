"""A look into a network: how much gradient each layer gets, and which units let none through.

The gradient that comes back to a layer is taken where its activation receives its input z. It is this one that
vanishes or explodes (Hochreiter 1991; Glorot and Bengio 2010). The gradient of a layer's weights is the product of it
and of the layer's input, so that it may be small for two reasons; it is kept beside it.
"""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hf_llm.data.images import LabelledImages
from hf_llm.experiments.relu_depth.nets import DeepMLP
from hf_llm.experiments.shared.activation_functions import ACTIVATIONS
from hf_llm.training.image_classification import pixel_values

NO_GRADIENT = 0.01  # a unit is dead when less than this fraction of the gradient passes, whatever the image
ROUNDING = 1e-40  # gradients below it count as it, so that they have a logarithm


def probe(net: DeepMLP, images: LabelledImages) -> dict:
    """Return what `net` does with `images`, each array from the first hidden layer to the last.

    In float64, since fifty sigmoids leave less than float32 could square. Batch norm takes the statistics of these
    images, as in training; the network itself is left as it was.

    Returns:
        `gradients`: (layers,), ∂loss/∂z of an image, its norm, root mean square over the images.
        `weight_gradients`: (layers,), the norm of the gradient of the mean loss with respect to the layer's weights.
        `dead`: bool (layers, width), which units let less than `NO_GRADIENT` of it through for every image.
        `cosine`: the mean cosine similarity of what two images give to the last layer.
        `accuracy`: on these images, with their own statistics where there is batch norm.
    """
    twin = copy.deepcopy(net).double().train()
    sums: list[Tensor] = []
    logits = twin(pixel_values(torch.from_numpy(images.images)).double(), sums).logits
    for z in sums:
        z.retain_grad()
    labels = torch.from_numpy(images.labels)
    F.cross_entropy(logits, labels, reduction="sum").backward()
    derivative, count = ACTIVATIONS[net.kind.activation].derivative, len(images)
    with torch.no_grad():
        return {
            "gradients": np.array([float(z.grad.square().sum(dim=1).mean().sqrt()) for z in sums]),
            "weight_gradients": np.array([float(linear.weight.grad.norm()) / count for linear in twin.layers]),
            "dead": torch.stack([derivative(z).abs().amax(dim=0) < NO_GRADIENT for z in sums]).numpy(),
            "cosine": mean_cosine(sums[-1]),
            "accuracy": float((logits.argmax(dim=1) == labels).double().mean()),
        }


def mean_cosine(z: Tensor) -> float:
    """Return the mean cosine similarity of two different rows of z, (N, width): 1 where all point the same way."""
    rows = F.normalize(z, dim=1)
    count = len(rows)
    return float((rows.sum(dim=0).square().sum() - count) / (count * (count - 1)))


def powers(gradients: np.ndarray) -> np.ndarray:
    """Return each layer's gradient relative to the last one's, (..., layers), in powers of ten."""
    gradients = np.log10(np.maximum(gradients, ROUNDING))
    return gradients - gradients[..., -1:]


def powers_lost(gradients: np.ndarray) -> float:
    """Return by how many powers of ten the first layer's gradient is smaller than the last one's."""
    return -float(powers(gradients)[0])
