"""The losses and their gradients written out.

z are logits, y the target; p = σ(z) for one output, p = softmax(z) for several.

    cross-entropy    −ln p[label]      gradient with respect to z:   p − y
    squared error    Σ (p − y)²        gradient with respect to z:   2 J (p − y)

J is the derivative of the outputs with respect to the logits. For a sigmoid it is the number p (1 − p), for a softmax
its Jacobian, the matrix diag(p) − p pᵀ. Both vanish where p is close to 0 or 1 everywhere: where the answer is sure,
also where it is surely wrong. In the cross-entropy the logarithm's 1/p cancels J.
"""

import torch
from torch import Tensor


def cross_entropy(z: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of −ln softmax(z)[label] = ln Σ exp(z) − z[label]; z (B, classes), labels (B,)."""
    return (log_sum_exp(z) - z.gather(1, labels[:, None])[:, 0]).mean()


def log_sum_exp(z: Tensor) -> Tensor:
    """Return ln Σ exp(z) over the classes, (B,): the largest logit is taken out, so that no exp exceeds 1."""
    largest = z.max(dim=1, keepdim=True).values
    return largest[:, 0] + (z - largest).exp().sum(dim=1).log()


def squared_softmax(z: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the batch of Σ (p − y)², the Brier score (1950); z (B, classes), labels (B,)."""
    return ((z.softmax(dim=1) - one_hot(z, labels)) ** 2).sum(dim=1).mean()


def cross_entropy_gradient(z: Tensor, labels: Tensor) -> Tensor:
    """Return (p − y) / B, (B, classes): probabilities minus the one-hot target."""
    return (z.softmax(dim=1) - one_hot(z, labels)) / len(z)


def squared_softmax_gradient(z: Tensor, labels: Tensor) -> Tensor:
    """Return 2 J (p − y) / B, (B, classes), with the softmax's Jacobian J = diag(p) − p pᵀ."""
    p = z.softmax(dim=1)
    jacobian = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]  # (B, classes, classes)
    return 2 * torch.einsum("bij,bj->bi", jacobian, p - one_hot(z, labels)) / len(z)


def one_hot(z: Tensor, labels: Tensor) -> Tensor:
    """Return the targets y, of the shape of z."""
    return torch.nn.functional.one_hot(labels, z.shape[1])


LOSSES = {"cross_entropy": cross_entropy, "squared": squared_softmax}
GRADIENTS = {"cross_entropy": cross_entropy_gradient, "squared": squared_softmax_gradient}
