"""The optimizer's step inside the backward pass: each gradient is used and freed as soon as it is there.

All gradients together are as large as the weights; here one of them exists at a time (Lv et al. 2023, "Full Parameter
Fine-tuning for Large Language Models with Limited Resources"). What needs all of them at once is then impossible:
scaling them down to a common norm, and adding up those of several micro-batches.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


@contextmanager
def optimizer_in_backward(optimizer: torch.optim.Optimizer) -> Iterator[Callable[[], float]]:
    """Let every backward pass step each parameter that `optimizer` holds, and take its gradient away.

    A parameter's gradient is whole when its hook is called: of a tied matrix the sum over both of its uses. No gradient
    that came before is left then, so the one optimizer steps this parameter alone. A gradient that is not finite
    changes nothing.

    Returns:
        A function that returns the norm of all gradients since it was last called, as `clip_grad_norm_` does.
    """
    norms = []

    def step(parameter: torch.Tensor) -> None:
        norms.append(torch.linalg.vector_norm(parameter.grad).item())
        if math.isfinite(norms[-1]):
            optimizer.step()
        parameter.grad = None

    def take_norm() -> float:
        norm = math.hypot(*norms)
        norms.clear()
        return norm

    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    hooks = [parameter.register_post_accumulate_grad_hook(step) for parameter in parameters]
    try:
        yield take_norm
    finally:
        for hook in hooks:
            hook.remove()
