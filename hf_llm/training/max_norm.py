"""Max-norm: after each step a unit's incoming weights are scaled back into a ball.

Srivastava et al. 2014, "Dropout", section 5.1: it lets dropout run at high learning rates. It is a constraint on the
result of a step, not a term of the loss, so it hangs on the optimizer as a hook.
"""

import torch
from torch import nn


def constrain_norms(optimizer: torch.optim.Optimizer, model: nn.Module, limit: float) -> None:
    """After each step of `optimizer` keep every unit's weight vector in `model` within norm `limit`.

    A unit's vector is a row of a linear layer's matrix (out, in), or a filter of a convolution (out, in, k, k).
    """
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]

    @torch.no_grad()
    def scale_back(*_) -> None:
        for matrix in matrices:
            rows = matrix.view(len(matrix), -1)  # (out, everything that comes in)
            norms = rows.norm(dim=1, keepdim=True).clamp_min_(1e-12)
            rows.mul_((limit / norms).clamp_(max=1.0))

    optimizer.register_step_post_hook(scale_back)
