"""New versions of an image that show the same digit: moved, turned, and bent as by a trembling hand.

Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural networks applied to visual document
analysis": elastic deformation moves each pixel by a random field that a Gaussian has smoothed.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

SMOOTHNESS = 4.0  # pixels: the Gaussian's deviation, as in the paper


@dataclass(frozen=True)
class Augmentation:
    """How far images are changed.

    Args:
        max_shift: Pixels, at most, in each direction.
        max_turn: Degrees, at most, either way.
        elastic: Pixels that the elastic field moves a pixel by, in the root mean square.
    """

    max_shift: float = 0.0
    max_turn: float = 0.0
    elastic: float = 0.0

    def __call__(self, images: torch.Tensor, seed: int, places: np.ndarray) -> torch.Tensor:
        """Return the images (B, 1, H, W) changed, with background where they moved away.

        What happens to an image depends on `seed` and its number among all draws alone, so that it does not depend
        on the number of processes or the size of the micro-batch.

        Args:
            images: As the model gets them; the darkest value is the background.
            seed: Seed of the run.
            places: Unique numbers of the draws, (B,).
        """
        batch, _, height, width = images.shape
        random = [np.random.default_rng([seed, int(place)]) for place in places]
        uniform = torch.from_numpy(np.stack([r.random(3, dtype=np.float32) * 2 - 1 for r in random]))  # (B, 3)
        angle = uniform[:, 0] * math.radians(self.max_turn)
        shift = uniform[:, 1:] * self.max_shift * 2 / width  # (B, 2), in the grid's units: the image is 2 wide
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(batch, 2, 2)
        grid = F.affine_grid(torch.cat([turn, shift[:, :, None]], 2), images.shape, align_corners=False)
        if self.elastic:
            noise = np.stack([r.standard_normal((2, height, width), dtype=np.float32) for r in random])
            grid = grid + self._field(torch.from_numpy(noise)).permute(0, 2, 3, 1) * 2 / width  # (B, H, W, 2)
        background = images.amin()
        return F.grid_sample(images - background, grid, align_corners=False) + background

    def _field(self, noise: torch.Tensor) -> torch.Tensor:
        """Return the smoothed field (B, 2, H, W), in pixels, with root mean square `elastic`."""
        blur = _gaussian_matrix(noise.shape[-1])
        field = blur @ noise @ blur.T
        return self.elastic * field / field.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


@lru_cache
def _gaussian_matrix(size: int) -> torch.Tensor:
    """Return the matrix (size, size) that smooths a row: a convolution of 28 pixels is cheapest as a product."""
    distance = torch.arange(size)[:, None] - torch.arange(size)
    weights = torch.exp(-0.5 * (distance / SMOOTHNESS) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)
