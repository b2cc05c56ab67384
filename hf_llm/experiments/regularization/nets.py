"""The nets of this experiment: which sets of regularizers are trained, how strong each is, and one training.

Every net of a size trains on the same images in the same order from the same initial weights, all by its seed, and
with a constant learning rate. So early stopping alone walks the path of the net without any regularizer and only ends
sooner.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import best, select
from hf_llm.experiments.shared.dropout_settings import BATCH, IMAGES, NARROW, SCHEDULES
from hf_llm.experiments.shared.image_runs import ImageParts, mlp_task, train_curve
from hf_llm.training.image_classification import ImageClassification

TRAINING = {"learning_rate": 1e-3, **SCHEDULES[NARROW.schedule]}

ALONE = ["dropout", "l2", "decoupled", "batch_norm", "early_stopping"]
FOUR = ["dropout", "l2", "batch_norm", "early_stopping"]  # decoupled decay is another kind of L2
ALL_FOUR = "+".join(FOUR)
PAIRS = ["+".join(pair) for pair in combinations(FOUR, 2)]


@dataclass(frozen=True)
class Size:
    """How one size of the training set is treated."""

    images: int | None  # to train on; None for all
    steps: int  # of the optimizer, the same for every net
    evaluations: int  # points of a curve, and chances to stop early
    sets: list[str]  # of regularizers that are trained, joined by "+"; "none" is the baseline
    strengths: dict[str, list[float]]  # {regularizer: strengths to choose from}


@dataclass(frozen=True)
class Grid:
    """All that is run."""

    sizes: dict[str, Size]
    batch: int
    patience: int  # how many evaluations early stopping waits for a better validation loss


SOME = ["none", "dropout", "l2", "batch_norm", "early_stopping", ALL_FOUR]
FULL = Grid(
    {
        "few": Size(IMAGES, NARROW.steps, 20, ["none", *ALONE, *PAIRS, ALL_FOUR], {
            "dropout": [0.1, 0.2, 0.4, 0.6, 0.8], "l2": [1e-4, 1e-3, 1e-2, 1e-1], "decoupled": [1.0, 3.0, 10.0],
        }),
        "all": Size(None, 2_880, 12, SOME, {"dropout": [0.1, 0.2, 0.4], "l2": [1e-5, 1e-4, 1e-3, 1e-2]}),
    },
    batch=BATCH, patience=3,
)  # fmt: skip
QUICK = Grid(
    {
        "few": Size(200, 80, 8, ["none", *ALONE, ALL_FOUR], {
            "dropout": [0.2, 0.5], "l2": [1e-4, 1e-3], "decoupled": [1.0, 3.0],
        }),
        "all": Size(None, 80, 8, SOME, {"dropout": [0.2, 0.5], "l2": [1e-4, 1e-3]}),
    },
    batch=32, patience=2,
)  # fmt: skip


def train_regularized(
    parts: ImageParts, grid: Grid, size: str, names: str, strengths: dict[str, float], seed: int
) -> tuple[list[dict], int, ImageClassification]:
    """Train one net.

    Returns:
        Its curve, the place on it of the weights that are kept, and the task with these weights: the last ones, or
        with early stopping those of the lowest validation loss.
    """
    used, how = names.split("+"), grid.sizes[size]
    chosen = {name: strengths[name] for name in used if name in strengths}
    stops = "early_stopping" in used
    task = mlp_task(
        parts, how.images, NARROW.width, seed, grid.batch, chosen.get("dropout", 0.0), batch_norm="batch_norm" in used
    )
    weights = []

    def keep_best(record: dict) -> None:
        if record.get("validation_loss", np.inf) < min((loss for loss, _ in weights), default=np.inf):
            state = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
            weights[:] = [(record["validation_loss"], state)]

    curve = train_curve(
        task, how.steps, how.evaluations, keep_best if stops else None, **TRAINING,
        early_stopping_patience=grid.patience if stops else 0,
        # adam puts the decay into the gradient, where λ‖w‖² has it, with twice λ; adamw decouples it from there
        optimizer="adamw" if "decoupled" in used else "adam",
        weight_decay=chosen.get("decoupled", 2 * chosen.get("l2", 0.0)),
    )  # fmt: skip
    if not stops:
        return curve, len(curve) - 1, task
    task.model.load_state_dict(weights[0][1])
    return curve, int(np.argmin([record["validation_loss"] for record in curve])), task


def chosen_strengths(tried: pd.DataFrame, size: str) -> dict[str, float]:
    """Return {regularizer: the strength with the lowest validation loss}, which is what early stopping goes by, too."""
    chosen = best(select(tried, size=size), "strength", "validation_loss", by=["regularizers"])
    return dict(zip(chosen["regularizers"], chosen["strength"]))
