"""Small data of scikit-learn's own, which need no download: for labs that train hundreds of nets in a minute."""

from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor

TRAINING, VALIDATION = 1000, 300  # of the 1,797 digits; what is left, 497, is for testing


@cache
def digits() -> dict[str, tuple[Tensor, Tensor]]:
    """Return the 8×8 digits as {"training", "validation", "test"}: pixels (N, 64) from 0 to 1, labels (N,).

    Pixels are float64. The order is drawn once, the same on every call: seeds vary what is trained, not the data.
    """
    pixels, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    x, labels = torch.tensor(pixels)[order] / 16, torch.tensor(labels)[order]
    cuts = [TRAINING, VALIDATION, len(x) - TRAINING - VALIDATION]
    return dict(zip(("training", "validation", "test"), zip(x.split(cuts), labels.split(cuts))))


def batches(samples: int, size: int, steps: int, seed: int) -> Tensor:
    """Return the sample numbers of each step, shape (steps, size), drawn with replacement."""
    return torch.randint(samples, (steps, size), generator=torch.Generator().manual_seed(seed))
