"""Gradient descent on a quadratic loss at the best constant rate, and how many steps the theory allows it.

The condition number κ is the ratio of the largest to the smallest curvature, the eigenvalues of the Hessian. At the
rate 2 / (λmin + λmax), gradient descent takes at most ln(1/ε) / (2 ln((κ+1)/(κ−1))) ≈ κ/4 · ln(1/ε) steps to bring the
excess loss down to the share ε (Nesterov 2004, "Introductory Lectures on Convex Optimization", section 2.1.5).
"""

import math

import numpy as np

TOLERANCE = 0.01  # of the excess loss at the start: what counts as the bottom


def bound(condition: float, tolerance: float) -> float:
    """Return the most steps that gradient descent at its best rate can need, from the theory."""
    return math.log(1 / tolerance) / (2 * math.log1p(2 / (condition - 1)))  # (κ+1)/(κ−1) is 1 + 2/(κ−1)


def gradient_descent(hessian: np.ndarray, solution: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Run gradient descent from 0 at the best constant rate.

    Returns:
        Excess loss as a share of that at the start, (steps + 1,); the weights, (steps + 1, d); the condition number.
    """
    eigenvalues = np.linalg.eigvalsh(hessian)
    rate = 2 / (eigenvalues[0] + eigenvalues[-1])
    w, errors = np.zeros_like(solution), []
    for _ in range(steps + 1):
        errors.append(w - solution)
        w = w - rate * hessian @ (w - solution)  # the gradient of the least squares, Xᵀ(Xw − y) / n
    errors = np.array(errors)
    excess = np.einsum("td,de,te->t", errors, hessian, errors) / 2
    return excess / excess[0], errors + solution, eigenvalues[-1] / eigenvalues[0]
