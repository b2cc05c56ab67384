"""Lab `relu-depth`, the tables: what the looks into the nets and the test set gave, mean over the seeds."""

import numpy as np

from hf_llm.experiments.backprop.words import ACTIVATION_NAMES
from hf_llm.experiments.parts import rounded
from hf_llm.experiments.relu_depth.nets import Kind
from hf_llm.experiments.relu_depth.probe import ROUNDING, orders_lost
from hf_llm.experiments.relu_depth.words import HEADINGS, OPTIMIZERS, RESCUES, TABLES, WEIGHTS
from hf_llm.experiments.result import Table
from hf_llm.experiments.seed_comparison import DIGITS, accuracies_on_test, with_bounds


def start_table(starts: dict[Kind, list[dict]]) -> Table:
    """Return one row a kind of net that was looked at before training; {kind: looks by seed}."""
    rows = []
    for kind, looks in starts.items():
        rows.append({
            **names_of(kind), **with_bounds("lost", [orders_lost(look["gradients"]) for look in looks]),
            "weights_lost": mean(orders_lost(look["weight_gradients"][1:]) for look in looks),
            "dead": mean(look["dead"].mean() for look in looks),
            "alike": mean(look["alike"] for look in looks),
            **by_layer(np.array([look["gradients"] for look in looks])),
        })  # fmt: skip
    return table("start", rows, "rescue_name", "name", "weights_name", "lost", "lost_low", "lost_high",
                 "weights_lost", "dead", "alike")  # fmt: skip


def training_table(runs: dict[tuple[Kind, str], list[dict]], kinds: list[Kind]) -> Table:
    """Return one row for each of `kinds` and each look into it while it trained."""
    rows = []
    for kind in kinds:
        cells = runs[kind, "sgd"]
        for place, step in enumerate(cells[0]["steps"]):
            gradients = np.array([cell["gradients"][place] for cell in cells])  # (seeds, layers)
            dead = np.array([cell["dead"][place].mean(axis=-1) for cell in cells])  # (seeds, layers)
            rows.append({
                **names_of(kind), "step": step, "lost": mean(map(orders_lost, gradients)), "dead": mean(dead.flat),
                **by_layer(gradients), "dead_by_layer": rounded(dead),
            })  # fmt: skip
    return table("training", rows, "name", "weights_name", "step", "lost", "dead")


def nets_table(caption: str, runs: dict[tuple[Kind, str], list[dict]], *first: str) -> Table:
    """Return one row a trained kind of net; `first` are the columns that tell the rows apart."""
    rows = []
    for (kind, optimizer), cells in runs.items():
        rows.append({
            **names_of(kind), "optimizer": optimizer, "optimizer_name": OPTIMIZERS[optimizer], "rate": cells[0]["rate"],
            **with_bounds("test_accuracy", accuracies_on_test(cells)),
            "lost": median(orders_lost(cell["gradients"][0]) for cell in cells),
            "lost_after": median(orders_lost(cell["gradients"][-1]) for cell in cells),
            **with_bounds("dead", [cell["dead"][0].mean() for cell in cells]),
            **with_bounds("dead_after", [cell["dead"][-1].mean() for cell in cells]),
        })  # fmt: skip
    return table(caption, rows, *first, "rate", "test_accuracy", "test_accuracy_low", "test_accuracy_high",
                 "lost", "lost_after", "dead", "dead_after")  # fmt: skip


def rates_table(trials: dict[tuple[Kind, str], list[dict]]) -> Table:
    """Return one row a learning rate that was tried."""
    rows = [
        {
            **names_of(kind), "optimizer_name": OPTIMIZERS[optimizer], "rate": trial["rate"],
            "validation_accuracy": round(trial["accuracy"], DIGITS), "validation_loss": float(f"{trial['loss']:.4g}"),
            "picked": trial["picked"],
        }
        for (kind, optimizer), of_kind in trials.items() for trial in of_kind
    ]  # fmt: skip
    return table("rates", rows, "depth", "name", "weights_name", "rescue_name", "optimizer_name", "rate",
                 "validation_accuracy", "validation_loss", "picked")  # fmt: skip


def names_of(kind: Kind) -> dict:
    """Return what tells a kind of net from the others, as data and as words."""
    return {
        "depth": kind.depth, "activation": kind.activation, "weights": kind.weights, "rescue": kind.rescue,
        "name": ACTIVATION_NAMES[kind.activation], "weights_name": WEIGHTS[kind.weights],
        "rescue_name": RESCUES[kind.rescue],
    }  # fmt: skip


def by_layer(gradients: np.ndarray) -> dict[str, list[float]]:
    """Return log10 of each layer's gradient over the last one's, (seeds, layers): mean, least and greatest seed."""
    relative = np.log10(np.maximum(gradients, ROUNDING) / np.maximum(gradients[:, -1:], ROUNDING))
    summaries = {"layers": relative.mean, "layers_low": relative.min, "layers_high": relative.max}
    return {name: rounded(summary(axis=0)) for name, summary in summaries.items()}


def mean(values) -> float:
    return round(float(np.mean(list(values))), DIGITS)


def median(values) -> float:
    """Return what tells more than the mean where a single seed ends with a gradient of zero."""
    return round(float(np.median(list(values))), DIGITS)


def table(name: str, rows: list[dict], *shown: str) -> Table:
    return Table(TABLES[name], {column: HEADINGS[column] for column in shown}, rows)
