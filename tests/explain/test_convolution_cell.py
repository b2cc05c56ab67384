"""The written-out cells are the model's own."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.explain.convolution_cell import convolution_cell, pooling_cell
from hf_llm.models.image_classifiers import new_image_classifier


@pytest.fixture(params=["max", "average"])
def lenet(request):
    model = new_image_classifier("lenet", 0, pooling=request.param).eval()
    model.c1.bias.data.uniform_(-1, 1)
    return model


@pytest.fixture
def image():
    return torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("feature_map", "row", "column"), [(0, 12, 14), (5, 0, 0), (3, 27, 27), (1, 0, 27)])
def test_cells_equal_the_models_maps(lenet, image, feature_map, row, column):
    c1, s2 = lenet(pixel_values=image, output_hidden_states=True).hidden_states[:2]
    cell = convolution_cell(lenet, image, feature_map, row, column)
    assert cell.products.shape == cell.patch.shape == cell.kernel.shape == (5, 5)
    assert cell.products.sum() + cell.bias == pytest.approx(cell.sum, abs=1e-5)
    assert cell.output == pytest.approx(c1[0, feature_map, row, column].item(), abs=1e-5)

    pool = pooling_cell(lenet, image, feature_map, row // 2, column // 2)
    assert pool.output == pytest.approx(s2[0, feature_map, row // 2, column // 2].item(), abs=1e-6)
    expected = pool.window.max() if lenet.config.pooling == "max" else pool.window.mean()
    assert pool.output == pytest.approx(expected, abs=1e-6)


def test_a_cell_outside_gets_a_sentence(lenet, image):
    with pytest.raises(UserError, match="no feature map 6"):
        convolution_cell(lenet, image, 6, 0, 0)
    with pytest.raises(UserError, match=r"no cell \(28, 0\)"):
        convolution_cell(lenet, image, 0, 28, 0)
    with pytest.raises(UserError, match=r"no cell \(0, 14\)"):
        pooling_cell(lenet, image, 0, 0, 14)
