"""One cell of LeNet's first convolution, and one of the pooling after it, with every number that goes into it.

>>> cell = convolution_cell(model, pixel_values, feature_map=0, row=12, column=14)
>>> abs(cell.products.sum() + cell.bias - cell.sum) < 1e-5
True
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from hf_llm.config import require
from hf_llm.models.modeling_lenet import LeNetForImageClassification
from hf_llm.texts import both


class ConvolutionCell(NamedTuple):
    """patch × kernel = products, each (5, 5); their sum plus the bias goes through the activation."""

    patch: np.ndarray
    kernel: np.ndarray
    products: np.ndarray
    bias: float
    sum: float
    activation: str
    output: float


class PoolingCell(NamedTuple):
    """The window (2, 2) of a feature map, and its maximum or mean."""

    window: np.ndarray
    kind: str
    output: float


@torch.no_grad()
def convolution_cell(
    model: LeNetForImageClassification, pixel_values: torch.Tensor, feature_map: int, row: int, column: int
) -> ConvolutionCell:
    """Write out the cell (row, column) of a map of C1, which is as large as the image, (1, 1, H, W).

    Raises:
        UserError: When there is no such map or cell.
    """
    layer = model.c1
    _require_cell(layer.out_channels, pixel_values.shape[-1], feature_map, row, column)
    side, padding = layer.kernel_size[0], layer.padding[0]
    padded = F.pad(pixel_values[0, 0], [padding] * 4)  # (H + 4, W + 4)
    patch = padded[row : row + side, column : column + side]
    kernel, bias = layer.weight[feature_map, 0], layer.bias[feature_map]
    total = (patch * kernel).sum() + bias
    return ConvolutionCell(
        patch.numpy(), kernel.numpy(), (patch * kernel).numpy(), bias.item(), total.item(),
        model.config.hidden_act, model.activation(total).item(),
    )  # fmt: skip


@torch.no_grad()
def pooling_cell(
    model: LeNetForImageClassification, pixel_values: torch.Tensor, feature_map: int, row: int, column: int
) -> PoolingCell:
    """Write out the cell (row, column) of a map of S2; arguments as in `convolution_cell`."""
    hidden = model(pixel_values=pixel_values, output_hidden_states=True).hidden_states
    c1, s2 = hidden[0][0], hidden[1][0]  # (maps, H, W), (maps, H / 2, W / 2)
    _require_cell(s2.shape[0], s2.shape[-1], feature_map, row, column)
    window = c1[feature_map, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    return PoolingCell(window.numpy(), model.config.pooling, s2[feature_map, row, column].item())


def _require_cell(maps: int, size: int, feature_map: int, row: int, column: int) -> None:
    require(0 <= feature_map < maps, both("explain.no_map", map=feature_map, last=maps - 1))
    within = 0 <= row < size and 0 <= column < size
    require(within, both("explain.no_cell", row=row, column=column, last=size - 1))
