"""Walks of an optimizer down a loss that is known as a formula: many starts and learning rates in one tensor."""

from collections.abc import Callable

import torch

TOLERANCE = 1e-4  # of the loss at the start: what counts as the bottom
HOLD = 20  # steps in a row that the loss must stay below the tolerance: crossing it by chance does not count


def descend(make: Callable, loss: Callable, starts: torch.Tensor, rates: torch.Tensor, steps: int):
    """Walk from every start (S, d) at every rate (R,), all at once: the rules work element by element.

    `make` makes an optimizer of parameters and `lr`, `loss` takes (..., d) to (...).

    Returns:
        Losses (T + 1, R, S) and positions (T + 1, R, S, d), before the first of T steps and after each.
    """
    w = starts.repeat(len(rates), 1, 1).requires_grad_()  # (R, S, d)
    optimizer = make([w], lr=rates[:, None, None])
    losses, positions = [], []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        values = loss(w)  # (R, S)
        losses.append(values.detach())
        positions.append(w.detach().clone())
        values.sum().backward()  # no run touches another's gradient
        optimizer.step()
    return torch.stack(losses), torch.stack(positions)


def steps_to_arrive(losses: torch.Tensor) -> torch.Tensor:
    """Return after how many steps losses (T + 1, ...) stay below the tolerance for `HOLD` steps; inf for never."""
    below = (losses <= TOLERANCE * losses[0]).to(torch.float64)  # 0 for NaN, too
    held = below.unfold(0, HOLD, 1).amin(dim=-1)  # (T + 2 - HOLD, ...), 1 where HOLD steps in a row begin
    return torch.where(held.any(dim=0), held.argmax(dim=0).double(), torch.inf)
