"""The loss figure of a run."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen needed
from matplotlib import pyplot as plt

from hf_llm.runs.atomic import make_folder, replace, sync_file, temporary_name


def loss_figure(records: list[dict], path: Path, best_step: int) -> None:
    """Draw training and validation loss over the steps (left), bits per byte where there are any (right).

    Args:
        records: Lines of log.jsonl.
        path: PNG to write.
        best_step: Step whose weights were published; marked.
    """
    evaluated = [record for record in records if "validation_loss" in record]
    has_bits = any("bits_per_byte" in record for record in evaluated)
    figure, axes = plt.subplots(1, 2 if has_bits else 1, figsize=(10 if has_bits else 6, 3.8), squeeze=False)
    left = axes[0, 0]
    left.plot([r["step"] for r in records], [r["loss"] for r in records], color="#9aa5b1", label="training")
    left.plot(
        [r["step"] for r in evaluated], [r["validation_loss"] for r in evaluated], "o-", ms=3, color="#1f4e9c",
        label="validation",
    )  # fmt: skip
    left.set_ylabel("loss (nats a token)" if has_bits else "loss")
    if has_bits:
        right = axes[0, 1]
        right.plot([r["step"] for r in evaluated], [r["bits_per_byte"] for r in evaluated], "o-", ms=3, color="#1f4e9c")
        right.set_ylabel("bits per byte, validation")
    for axis in axes[0]:
        axis.axvline(best_step, color="#c2410c", lw=1, ls="--", label=f"best: step {best_step}")
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False)
    figure.tight_layout()
    make_folder(path.parent)
    temporary = temporary_name(path)
    figure.savefig(temporary, format="png", dpi=140)
    plt.close(figure)
    sync_file(temporary)
    replace(temporary, path)
