"""Lab `architectures`, what happens when the image moves: to a convolution, to pooled maps, to the answers.

A convolution applies the same small filter everywhere, so its output moves with its input: it is equivariant (LeCun et
al. 1998; Goodfellow, Bengio and Courville 2016, section 9.2). Pooling with a stride keeps that only for shifts by whole
strides (Zhang 2019, "Making convolutional networks shift-invariant again"). Layers behind it that are fully connected
see other inputs either way.
"""

import numpy as np
import torch

from hf_llm.data.images import LabelledImages, draw
from hf_llm.experiments.architectures.words import CONVOLUTIONAL_FAMILIES, FAMILIES
from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.seed_comparison import points
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.image_classification import pixel_values

SHIFTS = (0, 1, 2, 3, 4)  # pixels; digits of MNIST have a margin of four
ROUNDING = 1e-5  # relative, of sums in fp32
NEARLY = 1.0  # percentage points: what a net may lose and still get nearly as many right
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))

LARGEST = Words(
    pt="maior diferença, relativa à maior ativação", en="largest difference, relative to the largest activation"
)
MOVED = Words(
    pt="acurácia em imagens deslocadas (média dos deslocamentos), diferença em pontos percentuais, pareada",
    en="accuracy on moved images (mean of the shifts), difference in percentage points, paired",
)
MAPS = {
    "convolution": Words(
        pt="Quando a imagem se desloca, os mapas de uma convolução se deslocam junto e não mudam",
        en="When the image moves, the maps of a convolution move along and do not change",
    ),
    "pooled_by_two": Words(
        pt="Depois do pooling, um deslocamento de dois pixels, o passo do pooling, ainda só desloca os mapas",
        en="After pooling, a shift by two pixels, the stride of the pooling, still only moves the maps",
    ),
    "pooled_by_one": Words(
        pt="Depois do pooling, um deslocamento de um pixel ainda só desloca os mapas, ou não os altera",
        en="After pooling, a shift by one pixel still only moves the maps, or leaves them as they were",
    ),
}
INDIFFERENT = (
    Words(
        pt="As convoluções tornam a LeNet indiferente a deslocamentos: no maior deles ela acerta quase tanto quanto "
        "sem nenhum",
        en="Convolutions make the LeNet indifferent to shifts: at the largest it gets nearly as many right as without "
        "any",
    ),
    Words(
        pt="acurácia no maior deslocamento menos acurácia sem nenhum, pontos percentuais; “quase” admite perder um",
        en="accuracy at the largest shift minus accuracy without any, percentage points; “nearly” allows for one lost",
    ),
)
SEEN = Words(
    pt="Um MLP que viu imagens deslocadas no treino tolera deslocamentos melhor do que uma LeNet que não as viu",
    en="An MLP that saw moved images in training tolerates shifts better than a LeNet that did not",
)


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
    """Move images to the right and compare LeNet's first maps with the maps of the images at rest, moved likewise.

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


def shift_findings(equivariance: dict[str, float], families: dict[str, list[dict]]) -> list[Finding]:
    """Return what a shift does to maps (`equivariance`) and to answers ({family: cells by seed})."""
    found = [
        exact((claim, LARGEST), equivariance[name], equivariance[name] <= ROUNDING) for name, claim in MAPS.items()
    ]
    for name in CONVOLUTIONAL_FAMILIES:
        claim = Words(
            pt=f"Com os mesmos parâmetros, a {FAMILIES[name].pt} tolera deslocamentos melhor do que o MLP",
            en=f"With equal parameters, the {FAMILIES[name].en} tolerates shifts better than the MLP",
        )
        found.append(over_seeds((claim, MOVED), points(_moved(families[name]), _moved(families["mlp"]))))
    by_shift = np.array([cell["by_shift"] for cell in families["lenet"]])  # (seeds, shifts)
    found.append(over_seeds(INDIFFERENT, points(by_shift[:, -1], by_shift[:, 0]), threshold=-NEARLY))
    found.append(over_seeds((SEEN, MOVED), points(_moved(families["mlp_moved"]), _moved(families["lenet"]))))
    return found


def _moved(cells: list[dict]) -> np.ndarray:
    """Return the mean accuracy at the shifts above zero, by seed."""
    by_shift = np.array([cell["by_shift"] for cell in cells])  # (seeds, shifts)
    return by_shift[:, np.array(SHIFTS) > 0].mean(axis=1)
