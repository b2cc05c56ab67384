"""What the loop asks of the thing it trains.

A task is a model, its batches and its evaluation. `causal_lm.py` is the first one; an image classifier or a masked
language model needs some forty lines more.
"""

from abc import ABC, abstractmethod

import torch
from torch import nn

from hf_llm.data import BatchPlan


class Task(ABC):
    """Subclass it; `loss` and `sample` have defaults, and without one of the others there is no instance.

    Attributes:
        model: What is trained.
        plan: The order of the samples, which gives the number of micro-batches.
        unit: What `items` counts: "tokens" or "images".
    """

    model: nn.Module
    plan: BatchPlan
    unit: str

    @abstractmethod
    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return the keyword arguments of `forward`, labels included: a pure function of its arguments."""

    @abstractmethod
    def items(self, batch: dict[str, torch.Tensor]) -> int:
        """Return how many tokens or images of `batch` the loss is averaged over."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the validation figures, `validation_loss` among them; the smallest one is the best.

        A task without a validation part returns none, and the last weights are what is published.
        """

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the items' losses summed, over n: the items of the whole step, all micro-batches and processes.

        Summed over the micro-batches of a step this is the big batch's mean, also where they hold different
        numbers of items. Classes of transformers that ignore `num_items_in_batch` need an override.
        """
        return model(**batch, num_items_in_batch=n).loss

    def sample(self, model: nn.Module) -> str | None:
        """Return a text that the model writes, to be shown while training; None for tasks without one."""
        return None
