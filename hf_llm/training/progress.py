"""How far a run has come: the step, the best evaluation, the patience that is left."""

import math
from dataclasses import dataclass

from hf_llm.training.config import TrainingConfig


@dataclass
class Progress:
    """Part of every checkpoint, so that a resumed run judges as the uninterrupted one would."""

    step: int = 0  # optimizer steps done
    train_loss: float | None = None  # of the last step
    best_loss: float | None = None  # lowest validation loss so far
    best_step: int = 0
    evaluations_without_gain: int = 0  # in a row
    seconds: float = 0.0  # in the loop, earlier processes included

    def judge(self, validation_loss: float) -> bool:
        """Take note of an evaluation and return whether it is the best so far."""
        better = self.best_loss is None or validation_loss < self.best_loss
        if better and math.isfinite(validation_loss):  # a NaN is never the best, also where it comes first
            self.best_loss, self.best_step, self.evaluations_without_gain = validation_loss, self.step, 0
            return True
        self.evaluations_without_gain += 1
        return False

    def finished(self, config: TrainingConfig) -> bool:
        """Return whether all steps are done, or early stopping's patience is used up."""
        patience = config.early_stopping_patience
        return self.step >= config.max_steps or 0 < patience <= self.evaluations_without_gain
