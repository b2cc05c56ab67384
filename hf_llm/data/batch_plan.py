"""Which samples belong to which step: pure index arithmetic, no state.

The samples of a run form one endless line: epoch 0 in a random order, then epoch 1 in another, and so on. Step s
takes places s·B to (s+1)·B of that line, whatever the number of processes, so a run that stopped goes on with
exactly the samples that it would have seen, and two processes share what one would have taken alone.

>>> plan = BatchPlan(samples=10, total_batch_size=4, per_device_batch_size=2, world_size=1, seed=0)
>>> plan.accumulation
2
>>> both = [*plan.indices(step=0, micro_step=0, rank=0), *plan.indices(step=0, micro_step=1, rank=0)]
>>> len({int(i) for i in both})
4
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hf_llm.config import require


@dataclass(frozen=True)
class BatchPlan:
    """The order of `samples` over the steps of a run.

    Raises:
        UserError: When the total does not divide into micro-batches; names the nearest total that does. When there
            are no samples.
    """

    samples: int  # how many samples (windows of tokens, images) there are
    total_batch_size: int  # samples an optimizer step, over all processes
    per_device_batch_size: int  # at most so many samples at once in one process; the rest is accumulated
    world_size: int = 1  # number of processes
    seed: int = 0  # of the shuffling

    def __post_init__(self):
        require(self.samples >= 1, "there are no samples to train on")
        total, at_once = self.total_batch_size, self.per_device_batch_size * self.world_size
        if total <= at_once:  # one micro-batch, made as small as need be
            unit, parts = self.world_size, f"among {self.world_size} processes"
        else:
            processes = f" x {self.world_size} processes" if self.world_size > 1 else ""
            unit, parts = at_once, f"into micro-batches of {self.per_device_batch_size}{processes}"
        require(
            total % unit == 0,
            f"total_batch_size {total} does not divide {parts}; "
            f"the nearest that does is {max(1, round(total / unit)) * unit}",
        )

    @property
    def micro_batch_size(self) -> int:
        """Samples of one forward pass in one process."""
        return min(self.per_device_batch_size, self.total_batch_size // self.world_size)

    @property
    def accumulation(self) -> int:
        """Forward passes of one process a step."""
        return self.total_batch_size // (self.micro_batch_size * self.world_size)

    def places(self, step: int, micro_step: int, rank: int) -> np.ndarray:
        """Return where a micro-batch stands in the endless line, shape (micro_batch_size,): unique for each draw."""
        first = step * self.total_batch_size + (micro_step * self.world_size + rank) * self.micro_batch_size
        return np.arange(first, first + self.micro_batch_size)

    def indices(self, step: int, micro_step: int, rank: int) -> np.ndarray:
        """Return the sample numbers of one micro-batch, shape (micro_batch_size,)."""
        epochs, positions = np.divmod(self.places(step, micro_step, rank), self.samples)
        indices = np.empty_like(positions)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            indices[here] = _order(self.samples, self.seed, int(epoch))[positions[here]]
        return indices


@lru_cache(maxsize=2)  # a step touches two epochs at most, unless an epoch is shorter than a step
def _order(samples: int, seed: int, epoch: int) -> np.ndarray:
    """Return the sample numbers in the order of an epoch, shape (samples,)."""
    return np.random.default_rng([seed, epoch]).permutation(samples)
