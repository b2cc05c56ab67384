"""What dropout gains with few images in two settings, and in those between them that differ in one factor.

`dropout-study` trains a wide MLP while the learning rate falls, `regularization` a narrow one for fewer steps at a
constant rate, and with more dropout. One finds a gain, the other a loss; changing one factor at a time tells why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import by_seed
from hf_llm.experiments.shared.image_runs import ImageParts, mlp_task, on_test, train_curve

IMAGES, BATCH = 1_000, 128
SCHEDULES = {
    "falling": {"min_learning_rate_ratio": 0.0, "warmup_steps": 50, "max_grad_norm": 1.0},
    "constant": {"min_learning_rate_ratio": 1.0, "warmup_steps": 0, "max_grad_norm": 0.0},
}


@dataclass(frozen=True)
class Setting:
    """How a net is trained."""

    width: int  # units of each of its two hidden layers
    steps: int  # of the optimizer
    schedule: Literal["falling", "constant"]  # of the learning rate, with what belongs to it: see SCHEDULES
    dropout: float  # probability with which training zeroes a hidden unit


WIDE = Setting(512, 1_164, "falling", 0.5)  # of dropout-study
NARROW = Setting(128, 600, "constant", 0.6)  # of regularization


def with_one_factor_of(start: Setting, end: Setting) -> dict[str, Setting]:
    """Return {factor: `start` with this one factor of `end`}."""
    return {factor: replace(start, **{factor: value}) for factor, value in asdict(end).items()}


def measure_settings(
    parts: ImageParts, settings: Sequence[Setting], seeds: Iterable[int], track, short: bool = False
) -> pd.DataFrame:
    """Train each setting with its dropout and with none, with every seed; `track` as of `Study`.

    A `short` run takes a tenth of images and steps, while its rows bear the setting's own number. A row is a net: the
    setting, `images`, `seed`, accuracy and loss on validation and on the test.
    """
    tenth = 10 if short else 1
    nets = dict.fromkeys(one for setting in settings for one in (replace(setting, dropout=0.0), setting))
    rows = []
    for net, seed in track([(net, seed) for net in nets for seed in seeds]):
        task = mlp_task(parts, IMAGES // tenth, net.width, seed, min(BATCH, IMAGES // tenth), net.dropout)
        (end,) = train_curve(task, net.steps // tenth, 1, learning_rate=1e-3, **SCHEDULES[net.schedule])
        rows.append({**asdict(net), "images": len(task.images), "seed": seed, "validation_loss": end["validation_loss"],
                     "validation_accuracy": end["validation_accuracy"], **on_test(task.model, parts)})  # fmt: skip
    return pd.DataFrame(rows)


def gain(table: pd.DataFrame, setting: Setting) -> np.ndarray:
    """Return how many points of test accuracy dropout adds in this setting, (seeds,)."""
    pair = (setting, replace(setting, dropout=0.0))
    return 100 * np.subtract(*(by_seed(table, "test_accuracy", **asdict(one)) for one in pair))
