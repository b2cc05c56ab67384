"""Part of the lab `losses`: the losses and their gradients written out, and what floating point does to them.

z are logits, y the target. For two classes p = σ(z), for more p = softmax(z):

    cross-entropy   −ln p[label]       gradient by z:   p − y
    squared error   Σ (p − y)²         gradient by z:   2 (p − y) p (1 − p)   for two classes

The factor p (1 − p) is the sigmoid's own derivative. It vanishes when p is close to 0 or 1: where the answer is sure,
also where it is surely wrong. In the cross-entropy the logarithm's 1/p cancels it.
"""

import numpy as np
import torch
from torch import Tensor

# float32 holds exp(88) but not exp(89), and nothing smaller than exp(−104)
LARGE_LOGITS = (1.0, 10.0, 50.0, 88.0, 89.0, 104.0, 1000.0)
BINS, TRUE_BIN, CONFIDENCE = 11, 0, 0.8


def cross_entropy(z: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of −ln softmax(z)[label] = ln Σ exp(z) − z[label]; z (B, classes), labels (B,)."""
    return (log_sum_exp(z) - z.gather(1, labels[:, None])[:, 0]).mean()


def cross_entropy_gradient(z: Tensor, labels: Tensor) -> Tensor:
    """Return (p − y) / B, (B, classes): probabilities minus the one-hot target."""
    y = torch.nn.functional.one_hot(labels, z.shape[1])
    return (z.softmax(dim=1) - y) / len(z)


def squared_softmax(z: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the batch of Σ (p − y)², the Brier score (1950); z (B, classes), labels (B,)."""
    y = torch.nn.functional.one_hot(labels, z.shape[1])
    return ((z.softmax(dim=1) - y) ** 2).sum(dim=1).mean()


def log_sum_exp(z: Tensor) -> Tensor:
    """Return ln Σ exp(z) over the classes, (B,): the largest logit is taken out, so that no exp exceeds 1."""
    largest = z.max(dim=1, keepdim=True).values
    return largest[:, 0] + (z - largest).exp().sum(dim=1).log()


def binary_gradients(z: Tensor) -> dict[str, Tensor]:
    """Return the gradient of both losses by the logit z, where the right answer is 1, of the shape of z."""
    p = torch.sigmoid(z)
    return {"p": p, "cross_entropy": p - 1, "squared": 2 * (p - 1) * p * (1 - p)}


def logit_rows() -> list[dict]:
    """Return both gradients for logits from surely wrong to surely right."""
    z = torch.linspace(-10, 10, 41, dtype=torch.float64)
    columns = {"logit": z, **binary_gradients(z)}
    return [dict(zip(columns, values)) for values in zip(*(column.tolist() for column in columns.values()))]


def overflow_rows() -> list[dict]:
    """Return the loss of the logits (m, 0) where the second class is right, in float32, by three formulas.

    `by_definition` divides exp by the sum of exp, `softmax_then_log` takes the logarithm of a softmax that does not
    overflow, and `log_sum_exp` never leaves the logarithms. `exact` is m + ln(1 + exp(−m)).
    """
    rows = []
    for m in LARGE_LOGITS:
        z = torch.tensor([[m, 0.0]])
        rows.append({
            "m": m,
            "by_definition": -(z.exp()[0, 1] / z.exp().sum()).log().item(),
            "softmax_then_log": -z.softmax(dim=1)[0, 1].log().item(),
            "log_sum_exp": cross_entropy(z, torch.tensor([1])).item(),
            "exact": m + np.log1p(np.exp(-m)),
        })  # fmt: skip
    return rows


def order_rows() -> list[dict]:
    """Return both losses of a prediction that is sure of a bin that is 1, 2, … bins away from the right one."""
    rows = []
    for distance in range(1, BINS):
        p = np.full(BINS, (1 - CONFIDENCE) / (BINS - 1))
        p[TRUE_BIN + distance] = CONFIDENCE
        mean = p @ np.arange(BINS)
        rows.append({
            "distance": distance,
            "cross_entropy": float(-np.log(p[TRUE_BIN])),
            "squared": float((mean - TRUE_BIN) ** 2),
        })  # fmt: skip
    return rows


def gradient_difference(seed: int) -> float:
    """Return how far p − y is from autograd's gradient of torch's cross-entropy, for random logits."""
    generator = torch.Generator().manual_seed(seed)
    z = (5 * torch.randn(64, 10, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(10, (64,), generator=generator)
    torch.nn.functional.cross_entropy(z, labels).backward()
    return float((cross_entropy_gradient(z.detach(), labels) - z.grad).abs().max() / z.grad.abs().max())
