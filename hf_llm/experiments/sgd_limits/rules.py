"""The update rules, and one training with each of them.

All run in the project's loop, with the same warm-up, cosine, batches and number of trials to find a learning rate.
Where a rule is SGD on rescaled gradients, a hook rescales each parameter's gradient before the step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from hf_llm.config import UserError
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.training.config import TrainingConfig
from hf_llm.training.loop import train
from hf_llm.training.task import Task

RATES_A_DECADE = 2  # of the geometric grids
HALF = (1, 2)  # rates on each side of the middle one, of the short and of the full version


@dataclass(frozen=True)
class Rule:
    """One way to update the weights."""

    changes: dict  # of the settings of `short_run`, which clips gradients at norm 1
    rescale: Callable[[nn.Parameter], None] | None = None  # of a parameter's gradient in place, before the step


def one_scale(parameter: nn.Parameter) -> None:
    """Divide the gradient by its root mean square, so that every block of parameters moves at the same pace."""
    parameter.grad.div_(parameter.grad.square().mean().sqrt().clamp_min(1e-12))


def signs(parameter: nn.Parameter) -> None:
    """Keep the gradient's signs alone, so that every weight moves at the same pace (Bernstein et al. 2018, signSGD)."""
    parameter.grad.sign_()


UNCLIPPED = {"max_grad_norm": 0.0}
RULES = {
    "sgd": Rule({"optimizer": "sgd", "adam_beta1": 0.0}),
    "momentum": Rule({"optimizer": "sgd"}),
    "adam": Rule({"optimizer": "adam"}),
    "adamw": Rule({"optimizer": "adamw", "weight_decay": 0.1}),
    # what may help SGD with momentum: no clipping, one scale for each block, signs alone
    "unclipped": Rule({"optimizer": "sgd", **UNCLIPPED}),
    "blocks": Rule({"optimizer": "sgd", **UNCLIPPED}, one_scale),
    "signs": Rule({"optimizer": "sgd", **UNCLIPPED}, signs),
}


def config_of(name: str, rate: float, steps: int, seed: int, **settings) -> TrainingConfig:
    """Return the settings of one training by the rule `name`; `settings` come before the rule's own."""
    return short_run(steps, rate, seed, **{**RULES[name].changes, **settings})


def fit(task: Task, name: str, rate: float, steps: int, **settings) -> list[dict]:
    """Train `task.model` by the rule `name` and return the log's records.

    Raises:
        UserError: When the loss is no longer finite.
    """
    if rescale := RULES[name].rescale:
        for parameter in task.model.parameters():
            # called once a step: batches are not accumulated
            parameter.register_post_accumulate_grad_hook(rescale)
    batch = task.plan.total_batch_size
    config = config_of(
        name, rate, steps, task.seed, total_batch_size=batch, per_device_train_batch_size=batch, **settings
    )
    return train(task, config).records


def trial(task: Task, name: str, rate: float, steps: int, **settings) -> float:
    """Return the validation loss after training; infinity where it diverged."""
    try:
        loss = fit(task, name, rate, steps, **settings)[-1]["validation_loss"]
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return math.inf
    return loss if math.isfinite(loss) else math.inf


def rates_around(middle: float, study: Study) -> list[float]:
    """Return the learning rates that are tried: as many for every rule."""
    half = study.pick(*HALF)
    return [middle * 10 ** (k / RATES_A_DECADE) for k in range(-half, half + 1)]
