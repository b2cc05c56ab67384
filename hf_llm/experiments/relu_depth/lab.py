"""The experiment `relu-depth`."""

from dataclasses import asdict

from hf_llm.experiments.frame import Lab, Study, Tables, by_seed
from hf_llm.experiments.relu_depth import before_training, blocks, depth, fair_setting
from hf_llm.experiments.relu_depth.before_training import VANISHED, kept_of_square
from hf_llm.experiments.relu_depth.probe import NO_GRADIENT
from hf_llm.experiments.relu_depth.training import grid_of
from hf_llm.experiments.shared.image_runs import ImageParts


def settings(study: Study) -> dict:
    grid = grid_of(study)
    images = ImageParts.read(study.data)
    return {
        "data": images.name, "data_sha256": images.sha256, "training_images": len(images.train),
        **{f"{use}_images": min(getattr(grid, use), len(images.validation)) for use in ("judged", "probed")},
        **{name: value for name, value in asdict(grid).items() if name not in ("judged", "probed")},
        "shallowest": grid.depths[0], "few": grid.depths[1], "deep": grid.depths[-2], "deepest": grid.depths[-1],
        "fair_steps": study.pick(*fair_setting.STEPS),
        "vanished_powers_of_ten": VANISHED, "vanished_fraction": 10**-VANISHED, "dead_below": NO_GRADIENT,
        "max_grad_norm": 1.0, "momentum": 0.9,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return accuracies, cosines and fractions that the sentences cite beside a difference: means over the seeds."""

    def accuracy(table: str, activation: str, weights: str, block: str = "plain", depth=max, on="test") -> float:
        rows = tables[table]
        return float(by_seed(rows, f"{on}_accuracy", depth=depth(rows["depth"]), activation=activation,
                             weights=weights, block=block, optimizer="sgd").mean())  # fmt: skip

    dead = by_seed(tables["start"], "dead", activation="relu", weights="he", block="plain")
    return {
        "kept_of_square": float(kept_of_square(tables).mean()), "born_dead": float(dead.mean()),
        "relu_short": accuracy("depth", "relu", "he"), "tanh_short": accuracy("depth", "tanh", "xavier"),
        "relu_longer": accuracy("fair", "relu", "he"), "tanh_longer": accuracy("fair", "tanh", "xavier"),
        "gelu_longer": accuracy("fair", "gelu", "gelu_critical"), "gelu_he_longer": accuracy("fair", "gelu", "he"),
        "sigmoid_longer": accuracy("fair", "sigmoid", "as_tanh"),
        "batch_norm_less_deep": accuracy("fair", "relu", "he", "batch_norm", depth=min),
        "batch_norm_longer": accuracy("fair", "relu", "he", "batch_norm"),
        "batch_norm_longer_batch": accuracy("fair", "relu", "he", "batch_norm", on="batch"),
    }  # fmt: skip


LAB = Lab(
    folder="relu_depth",
    parts=[before_training, depth, blocks, fair_setting],
    lecture=["L4", "L31"],
    figure="start",
    shown=[
        "sigmoid_vanishes", "relu_xavier_keeps", "right_weights_suffice", "fewer_dead_than_sigmoid",
        "batch_norm_helps_less_deep", "activation_hardly_matters",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"sigmoid_vanishes": "yes", "tanh_vanishes": "yes"},
        "b": {"right_weights_suffice": "yes", "he_over_xavier": "yes"},
        "c": {"right_weights_suffice": "no"},
    },
)  # fmt: skip
