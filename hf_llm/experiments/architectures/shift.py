"""What a shift of the image does to the maps of a convolution, before and after pooling.

A convolution applies the same small filter everywhere, so its output moves with its input: it is equivariant (LeCun et
al. 1998; Goodfellow, Bengio and Courville 2016, section 9.2). Pooling with a stride keeps that only for shifts by whole
strides (Zhang 2019, "Making convolutional networks shift-invariant again"). Layers behind it that are fully connected
see other inputs either way; what that costs is measured in `equal_parameters.py`.
"""

import numpy as np
import pandas as pd
import torch

from hf_llm.data.images import LabelledImages, draw
from hf_llm.experiments.architectures.training import Images
from hf_llm.experiments.frame import Finding, Study, Tables, exact
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.image_classification import pixel_values

SHIFTS = (0, 1, 2, 3, 4)  # pixels; digits of MNIST have a margin of four
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))
MAPS_OF = 64  # images that the maps are compared on
ROUNDING = 1e-5  # relative, of sums in fp32


def measure(study: Study) -> Tables:
    """Compare the maps of LeNet-5 for an image at rest and moved."""
    differences = equivariance(Images.of(study).train.select(slice(MAPS_OF)))
    return {"equivariance": pd.DataFrame(differences.items(), columns=["maps", "difference"])}


def findings(tables: Tables) -> list[Finding]:
    rows = tables["equivariance"].itertuples()
    return [exact(f"{row.maps}_moves_along", row.difference, ROUNDING, "below") for row in rows]


def move(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return images (N, H, W) moved by whole pixels, with background where they moved away.

    >>> move(np.eye(3, dtype=np.uint8)[None], down=1, right=0)[0].tolist()
    [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    """
    moved = np.zeros_like(images)
    height, width = images.shape[1:]
    target = (slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0)))
    source = (slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0)))
    moved[:, *target] = images[:, *source]
    return moved


def moved_test(test: LabelledImages, count: int) -> dict[int, LabelledImages]:
    """Return {pixels: `count` drawn test images, each moved by so many}; an image keeps its direction."""
    drawn = draw(test, min(count, len(test)), seed=0)
    direction = np.random.default_rng(0).integers(len(DIRECTIONS), size=len(drawn))
    moved = {}
    for pixels in SHIFTS:
        images = np.empty_like(drawn.images)
        for number, (down, right) in enumerate(DIRECTIONS):
            chosen = direction == number
            images[chosen] = move(drawn.images[chosen], pixels * down, pixels * right)
        moved[pixels] = LabelledImages(images, drawn.labels)
    return moved


@torch.no_grad()
def equivariance(images: LabelledImages) -> dict[str, float]:
    """Move images to the right and compare LeNet-5's first maps with the maps of the images at rest, moved likewise.

    Returns:
        The largest difference, relative to the largest activation: of the convolution (`convolution`, moved by one
        pixel), and of the pooled maps where the image moved by two pixels, which is one of theirs (`pooled_by_two`),
        or by one (`pooled_by_one`: at best, the maps may have stayed where they were or moved by one).
    """
    model = new_image_classifier("lenet", 0)

    def maps(pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = pixel_values(torch.from_numpy(move(images.images, 0, pixels)))
        convolved = model.activation(model.c1(x))  # (N, 6, 28, 28)
        return convolved, model.pooling(convolved)  # (N, 6, 14, 14)

    convolved, pooled = maps(0)

    def apart(at_rest: torch.Tensor, after: torch.Tensor, pixels: int) -> float:
        edge = 4  # beside the border the padding, and what moved in, make a difference
        moved = at_rest.roll(pixels, dims=3)[..., edge:-edge]
        return float((after[..., edge:-edge] - moved).abs().max() / at_rest.abs().max())

    return {
        "convolution": apart(convolved, maps(1)[0], 1),
        "pooled_by_two": apart(pooled, maps(2)[1], 1),
        "pooled_by_one": min(apart(pooled, maps(1)[1], pixels) for pixels in (0, 1)),
    }
