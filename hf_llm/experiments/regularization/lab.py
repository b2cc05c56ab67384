"""The experiment `regularization`."""

from dataclasses import asdict

import numpy as np

from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.experiments.regularization import definitions, dropout_gain, nets, regularizers
from hf_llm.experiments.shared.dropout_settings import NARROW, WIDE
from hf_llm.texts import both


def settings(study: Study) -> dict:
    grid = study.pick(nets.QUICK, nets.FULL)
    return {
        "data": study.data, **asdict(grid), "training": nets.TRAINING,
        "p": definitions.P, "optimizer_steps": definitions.STEPS,
        "own_width": NARROW.width, "own_steps": NARROW.steps, "own_p": NARROW.dropout,
        "other_width": WIDE.width, "other_steps": WIDE.steps, "other_p": WIDE.dropout,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the texts cite: sizes and steps, what validation chose, and where early stopping kept the weights."""
    runs, dropouts = tables["runs"], select(tables["strengths"], size="few", regularizers="dropout")
    losses = dropouts.sort_values("validation_loss")
    cited = {
        "runner_up": float(losses["strength"].iloc[1]),
        "runner_up_behind": float(np.diff(losses["validation_loss"])[0]),
        "all_least_p": float(select(tables["strengths"], size="all", regularizers="dropout")["strength"].min()),
        "most_p": float(dropouts["strength"].max()),
        "less_p": dropout_gain.chosen_by_accuracy(tables),
        "moved_images": int(tables["settings"]["images"].iloc[0]),
        "weakest": both(f"regularization.names.{regularizers.weakest(runs)}"),
    }
    for size in runs["size"].unique():
        stopped = select(runs, size=size, regularizers="early_stopping")
        cited |= {
            f"{size}_images": int(stopped["images"].iloc[0]), f"{size}_steps": int(stopped["last_step"].iloc[0]),
            f"{size}_kept": float(stopped["step"].mean()),
            f"{size}_best": both(f"regularization.names.{regularizers.best_alone(runs, size)}"),
            f"{size}_four_best": both(f"regularization.names.{regularizers.best_alone(runs, size, nets.FOUR)}"),
            **{f"{size}_{name}": strength
               for name, strength in nets.chosen_strengths(tables["strengths"], size).items()},
        }  # fmt: skip
    return cited


LAB = Lab(
    folder="regularization",
    parts=[regularizers, dropout_gain, definitions],
    lecture=["L14", "L15", "L16", "L17"],
    figure="effects",
    shown=["few_decoupled_accuracy", "few_l2_accuracy", "few_batch_norm_accuracy", "few_early_stopping_accuracy",
           "width_matters", "p_matters", "decoupled_is_l2"],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
