"""Lab `architectures`, the tables: one row a net, means over the seeds with their intervals."""

import numpy as np

from hf_llm.experiments.architectures.cells import Study, best_rate
from hf_llm.experiments.architectures.shift import SHIFTS
from hf_llm.experiments.architectures.words import (
    CAPTIONS,
    FAMILIES,
    HEADINGS,
    KINDS,
    LENETS,
    RECURRENT_NAMES,
    SHORTCUTS,
)
from hf_llm.experiments.result import Table, Words
from hf_llm.experiments.seed_comparison import DIGITS, with_bounds


def table(caption: str, rows: list[dict], *shown: str) -> Table:
    return Table(CAPTIONS[caption], {name: HEADINGS[name] for name in shown}, rows)


def tested(cells: list[dict]) -> dict:
    """Return parameters and test accuracy of one net over the seeds."""
    accuracies = [cell["test_accuracy"] for cell in cells]
    return {"parameters": cells[0]["parameters"], **with_bounds("test_accuracy", accuracies)}


def accuracy_table(part: str, runs: dict[str, list[dict]], names: dict[str, Words], trials: dict) -> Table:
    """Return one row a net: parameters, the rate it trained with, test accuracy."""
    rows = [
        {
            "key": key, "name": names[key], **tested(cells),
            "rate": best_rate(trials[part, "mlp" if key == "mlp_moved" else key]),
        }
        for key, cells in runs.items()
    ]  # fmt: skip
    return table(part, rows, "name", "parameters", "rate", "test_accuracy", "test_accuracy_low", "test_accuracy_high")


def shift_table(families: dict[str, list[dict]]) -> Table:
    """Return mean, least and greatest accuracy at every shift."""
    rows = []
    for key, cells in families.items():
        by_shift = np.array([cell["by_shift"] for cell in cells])  # (seeds, shifts)
        for place, pixels in enumerate(SHIFTS):
            values = by_shift[:, place]
            rows.append({
                "key": key, "name": FAMILIES[key], "shift": pixels,
                "moved_accuracy": round(float(values.mean()), DIGITS),
                "moved_accuracy_low": round(float(values.min()), DIGITS),
                "moved_accuracy_high": round(float(values.max()), DIGITS),
            })  # fmt: skip
    return table("shift", rows, "name", "shift", "moved_accuracy", "moved_accuracy_low", "moved_accuracy_high")


def depth_table(runs: dict[tuple[int, bool], list[dict]]) -> Table:
    rows = [
        {"blocks": blocks, "shortcuts": shortcuts, "shortcuts_name": SHORTCUTS[shortcuts], **tested(cells)}
        for (blocks, shortcuts), cells in runs.items()
    ]
    return table(
        "depth", rows, "blocks", "shortcuts_name", "parameters", "test_accuracy", "test_accuracy_low",
        "test_accuracy_high",
    )  # fmt: skip


def defaults_table(defaults: dict[str, list[dict]]) -> Table:
    rows = [{"kind": KINDS[kind], **row, "year": str(row["year"])} for kind, found in defaults.items() for row in found]
    return table("defaults", rows, "kind", "class", "year", "activation", "relu")


def rates_table(trials: dict) -> Table:
    """Return the search for the learning rates."""
    names = {"families": FAMILIES, "activations": LENETS, "recurrent": RECURRENT_NAMES}
    rows = [
        {
            "part": part, "key": key, "name": names[part][key], **trial,
            "picked": trial["rate"] == best_rate(found),
        }
        for (part, key), found in trials.items() for trial in found
    ]  # fmt: skip
    return table("rates", rows, "name", "rate", "accuracy", "loss", "picked")


def throughput_table(throughput: dict[str, np.ndarray], families: dict[str, list[dict]]) -> Table:
    rows = [
        {
            "key": key, "name": FAMILIES[key], "parameters": families[key][0]["parameters"],
            **with_bounds("training", images),
            **with_bounds("inference", [cell["inference"] for cell in families[key]]),
        }
        for key, images in throughput.items()
    ]  # fmt: skip
    return table("throughput", rows, "name", "parameters", "training", "inference")


def equal_time_table(study: Study, in_time: dict[str, list[dict]]) -> Table:
    rows = [
        {
            "key": key, "name": FAMILIES[key], **tested(cells), "steps": cells[0]["steps"],
            "images": cells[0]["steps"] * study.batch,
            "seconds": round(float(np.mean([cell["seconds"] for cell in cells])), 2),
        }
        for key, cells in in_time.items()
    ]  # fmt: skip
    return table(
        "equal_time", rows, "name", "seconds", "steps", "images", "test_accuracy", "test_accuracy_low",
        "test_accuracy_high",
    )  # fmt: skip
