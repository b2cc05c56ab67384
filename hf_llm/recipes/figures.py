"""The curves of a run: loss, bits per byte, accuracy over the steps."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import COLOURS, label, new_figure

UNITS = {"tokens_per_second": "token", "images_per_second": "image", "messages_per_second": "message"}
GREY, BLUE, ORANGE = "#7c8894", COLOURS[0], COLOURS[1]


def loss_figure(records: list[dict], published_step: int) -> Figure:
    """Draw training and validation loss over the steps (left), bits per byte where there are any (right).

    Args:
        records: Lines of log.jsonl.
        published_step: Step whose weights were published; marked.
    """
    has_bits = any("bits_per_byte" in record for record in records)
    figure, axes = new_figure(1, 2 if has_bits else 1, width=5.2, height=3.8)
    left = axes[0, 0]
    left.plot([r["step"] for r in records], [r["loss"] for r in records], color=GREY, lw=1, label="training, each step")
    _curve(left, records, "train_loss", ORANGE, "training, in eval mode")
    _curve(left, records, "validation_loss", BLUE, "validation")
    (unit,) = {name for name in UNITS if name in records[0]}
    _finish(left, f"loss (nats per {UNITS[unit]})", published_step)
    if has_bits:
        _curve(axes[0, 1], records, "bits_per_byte", BLUE, "validation")
        _finish(axes[0, 1], "bits per byte", published_step)
    return figure


def accuracy_figure(records: list[dict], published_step: int) -> Figure:
    """Draw the accuracy of training and validation over the steps; arguments as in `loss_figure`."""
    figure, axes = new_figure(width=5.2, height=3.8)
    _curve(axes[0, 0], records, "train_accuracy", ORANGE, "training, in eval mode")
    _curve(axes[0, 0], records, "validation_accuracy", BLUE, "validation")
    _finish(axes[0, 0], "accuracy", published_step)
    return figure


def _curve(axis: Axes, records: list[dict], name: str, colour: str, text: str) -> None:
    measured = [record for record in records if name in record]
    if measured:
        axis.plot(
            [r["step"] for r in measured], [r[name] for r in measured], "o-", ms=3, color=colour, label=text
        )  # fmt: skip


def _finish(axis: Axes, quantity: str, published_step: int) -> None:
    axis.axvline(published_step, color="black", lw=1, ls="--", label=f"published: step {published_step}")
    label(axis, "step", quantity)
