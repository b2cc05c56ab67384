"""The optimizer, which parameters decay, a bound on the weights' norms, and the learning-rate curve."""

import math

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from hf_llm.training.config import TrainingConfig


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return `config.optimizer` over `model`, with weight decay on matrices and embeddings only.

    Pulling a bias or a norm's gain to zero changes what the layer can express; pulling a matrix only regularises.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.dim() >= 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": [parameter for parameter in trained if parameter.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate, epsilon, betas = config.learning_rate, config.adam_epsilon, (config.adam_beta1, config.adam_beta2)
    match config.optimizer:
        case "adamw":
            optimizer = torch.optim.AdamW(groups, lr=rate, betas=betas, eps=epsilon, fused=True)
        case "adam":
            optimizer = torch.optim.Adam(groups, lr=rate, betas=betas, eps=epsilon, fused=True)
        case "rmsprop":
            optimizer = torch.optim.RMSprop(groups, lr=rate, alpha=config.adam_beta2, eps=epsilon)
        case "sgd":
            whole = not any(isinstance(parameter, DTensor) for parameter in trained)  # fused SGD knows no shares
            optimizer = torch.optim.SGD(groups, lr=rate, momentum=config.adam_beta1, fused=whole)
        case "adafactor":  # Shazeer and Stern 2018: no betas, no momentum, steps relative to a matrix's size
            optimizer = torch.optim.Adafactor(groups, lr=rate)
    if config.max_weight_norm:
        _limit_norms(optimizer, matrices, config.max_weight_norm)
    return optimizer


def _limit_norms(optimizer: torch.optim.Optimizer, matrices: list[nn.Parameter], limit: float) -> None:
    """After each step scale every unit's weight vector back into the ball of norm `limit`.

    Max-norm (Srivastava et al. 2014, "Dropout", section 5.1) lets dropout run at high learning rates. It is a
    constraint on the result of a step, not a term of the loss, so it hangs on the optimizer as a hook. A unit's
    vector is a row of a linear layer's matrix (out, in), or a filter of a convolution (out, in, k, k).
    """

    @torch.no_grad()
    def scale_back(*_) -> None:
        for matrix in matrices:
            rows = matrix.view(len(matrix), -1)  # (out, everything that comes in)
            norms = rows.norm(dim=1, keepdim=True).clamp_min_(1e-12)
            rows.mul_((limit / norms).clamp_(max=1.0))

    optimizer.register_step_post_hook(scale_back)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Return the rate of step `step` (0 is the first): linear warm-up, then a cosine down to the minimum.

    A function of the step alone, so it is the same for any number of processes and after resuming
    (accelerate's scheduler steps once a process).

    >>> [learning_rate(s, TrainingConfig(learning_rate=1.0, warmup_steps=2, max_steps=4)) for s in (0, 1, 2)]
    [0.5, 1.0, 1.0]
    """
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.max_steps - config.warmup)
    floor = config.min_learning_rate_ratio
    return config.learning_rate * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
