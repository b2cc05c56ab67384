"""What a person wants to see of an image classifier: its first weights, what it confuses, its worst mistakes, how far
its confidence can be trusted, and for a convolutional net one cell of its arithmetic."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix
from torch import nn

from hf_llm.data.images import LabelledImages
from hf_llm.evaluation.calibration import calibration
from hf_llm.evaluation.charts import COLOURS, label, new_figure
from hf_llm.explain.convolution_cell import convolution_cell, pooling_cell
from hf_llm.training.image_classification import logits_of, pixel_values

TILES, COLUMNS = 32, 8  # of the picture of weights
MISTAKES = 16


def classifier_figures(model: nn.Module, images: LabelledImages) -> dict[str, Figure]:
    """Return the pictures of `model`, as it answers on `images`, by name."""
    probabilities = logits_of(model, images).softmax(dim=1).numpy()  # (N, classes)
    counts = confusion_matrix(images.labels, probabilities.argmax(axis=1), labels=range(probabilities.shape[1]))
    figures = {
        "first_layer": first_layer(model),
        "confusion": confusion(counts, "image"),
        "mistakes": worst_mistakes(probabilities, images),
        "calibration": reliability(probabilities, images.labels),
    }
    if hasattr(model, "c1"):  # LeNet
        figures["convolution"] = cell_written_out(model, images)
    return figures


def first_layer(model: nn.Module) -> Figure:
    """Draw what units of the first layer look for: blue is ink that they want, red is ink that they do not want.

    Of many units the ones with the largest weights are shown.
    """
    weights = next(p for p in model.parameters() if p.dim() >= 2).detach()
    side = 28 if weights.dim() == 2 else weights.shape[-1]
    tiles = weights.reshape(len(weights), -1, side, side)[:, 0]  # (units, side, side), of the first channel
    strongest = tiles.flatten(1).norm(dim=1).argsort(descending=True)[:TILES]
    rows = -(-len(strongest) // COLUMNS)
    figure, axes = new_figure(rows, min(COLUMNS, len(strongest)), width=0.95, height=0.95)
    for axis in axes.flat:
        axis.axis("off")
    for axis, tile in zip(axes.flat, tiles[strongest]):
        most = tile.abs().max()
        axis.imshow(tile, cmap="RdBu", vmin=-most, vmax=most)
    figure.suptitle("first layer: weights of single units", fontsize=10)
    return figure


def confusion(counts: np.ndarray, item: str, classes: Sequence[str] | None = None) -> Figure:
    """Draw how often each class was taken for each other one; the diagonal, what was right, is left uncoloured.

    Args:
        counts: A row for each class, a column for each answer.
        item: What was classified, for the axis: "image".
        classes: Their names; None for the digits.
    """
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, np.nan)
    figure, axes = new_figure(width=5.2, height=4.8)
    axis = axes[0, 0]
    axis.imshow(wrong, cmap="Oranges", vmin=0)
    half = np.nanmax(wrong) / 2
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if row != column and count > max(half, 1) * 1.4 else "black"
        axis.text(column, row, count or "", ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(counts)), classes)
    axis.set_yticks(range(len(counts)), classes)
    axis.grid(visible=False)
    label(axis, "the model's answer", f"the {item}'s label", legend=False)
    return figure


def worst_mistakes(probabilities: np.ndarray, images: LabelledImages) -> Figure:
    """Draw the images whose true label got the lowest probability."""
    of_truth = probabilities[np.arange(len(images)), images.labels]  # (N,)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != images.labels)
    worst = wrong[of_truth[wrong].argsort()][:MISTAKES]
    figure, axes = new_figure(2, MISTAKES // 2, width=1.15, height=1.45)
    for axis in axes.flat:
        axis.axis("off")
    for axis, number in zip(axes.flat, worst):
        answer = probabilities[number].argmax()
        axis.imshow(images.images[number], cmap="gray_r")
        axis.set_title(f"{images.labels[number]}, not {answer}\n({probabilities[number, answer]:.0%} sure)", fontsize=8)
    return figure


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> Figure:
    """Draw how often the model is right against how sure it says it is."""
    bins = calibration(probabilities, labels)
    figure, axes = new_figure(width=4.6, height=4.2)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color="grey", lw=1, ls="--", label="as sure as right")
    axis.plot(bins.confidence, bins.accuracy, "o-", color=COLOURS[0], label="the model")
    for x, y, count in zip(bins.confidence, bins.accuracy, bins.count):
        axis.annotate(f"{count:,}", (x, y), textcoords="offset points", xytext=(6, -10), fontsize=7)
    label(axis, "probability of its answer", "fraction that is right", f"calibration error {bins.error:.3f}")
    return figure


def cell_written_out(model: nn.Module, images: LabelledImages) -> Figure:
    """Draw one cell of the first convolution and of the pooling after it, with every number that goes into it."""
    pixels = pixel_values(torch.from_numpy(images.images[:1]))  # (1, 1, 28, 28)
    cell = convolution_cell(model, pixels, feature_map=0, row=12, column=14)
    pool = pooling_cell(model, pixels, feature_map=0, row=6, column=7)
    figure, axes = new_figure(1, 4, width=3.3, height=3.6)
    grids = (
        (cell.patch, "pixels of the window"),
        (cell.kernel, "× weights of the map"),
        (cell.products, f"= products; their sum {cell.products.sum():.2f}\n+ bias {cell.bias:.2f} = {cell.sum:.2f}, "
                        f"{cell.activation} gives {cell.output:.2f}"),
        (pool.window, f"pooling: the {pool.kind} of these {pool.window.size}\nis {pool.output:.2f}"),
    )  # fmt: skip
    for axis, (numbers, title) in zip(axes.flat, grids):
        most = float(np.abs(numbers).max()) or 1.0
        axis.imshow(numbers, cmap="RdBu", vmin=-1.6 * most, vmax=1.6 * most)  # pale enough to read the numbers on it
        for (row, column), number in np.ndenumerate(numbers):
            axis.text(column, row, f"{number:.2f}", ha="center", va="center", fontsize=8)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.set_title(title, fontsize=9)
    return figure
