"""The optimizer, which parameters decay, and the learning-rate curve."""

import math

import torch
from torch import nn

from hf_llm.training.config import TrainingConfig
from hf_llm.training.max_norm import constrain_norms


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return `config.optimizer` over `model`, with weight decay on matrices and embeddings only.

    Pulling a bias or a norm's gain to zero changes what the layer can express; pulling a matrix only regularises.
    """
    optimizer = _update_rule(model, config)
    if config.max_norm:
        constrain_norms(optimizer, model, config.max_norm)
    return optimizer


def _update_rule(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate, epsilon = config.learning_rate, config.adam_epsilon
    betas = (config.adam_beta1, config.adam_beta2)
    match config.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=epsilon, fused=True)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, betas=betas, eps=epsilon, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=config.adam_beta2, eps=epsilon)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=config.adam_beta1, fused=True)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Return the rate of step `step` (0 is the first): linear warm-up, then a cosine down to the minimum.

    A function of the step alone, so it is the same for any number of processes and after resuming
    (accelerate's scheduler steps once a process).

    >>> [learning_rate(s, TrainingConfig(learning_rate=1.0, warmup_steps=2, max_steps=4)) for s in (0, 1, 2)]
    [0.5, 1.0, 1.0]
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
    floor = config.min_learning_rate_ratio
    return config.learning_rate * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the optimizer's state as {"parameter/key": tensor}, named by parameter rather than by number."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{names[parameter]}/{key}": torch.as_tensor(value)
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if value is not None
    }


def load_optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict) -> None:
    """Put back what `optimizer_tensors` returned; the learning rate is set anew at each step."""
    parameters = dict(model.named_parameters())
    for name, tensor in tensors.items():
        parameter, key = name.rsplit("/", 1)
        device = "cpu" if key == "step" and not _fused_on_device(parameters[parameter], optimizer) else None
        optimizer.state[parameters[parameter]][key] = tensor.to(device or parameters[parameter].device)


def _fused_on_device(parameter: torch.Tensor, optimizer: torch.optim.Optimizer) -> bool:
    """Fused optimizers keep the step count beside the parameter, others on the CPU."""
    return parameter.is_cuda and bool(optimizer.defaults.get("fused"))
