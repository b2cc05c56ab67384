"""Dropout on an MLP's hidden units: without it the model's own answer, with it the same mean."""

import numpy as np
import pytest
import torch

from hf_llm.explain.with_dropout import with_dropout
from hf_llm.models.configuration_mlp import MLPConfig
from hf_llm.models.modeling_mlp import MLPForImageClassification


@pytest.fixture(scope="module")
def mlp():
    torch.manual_seed(0)
    return MLPForImageClassification(MLPConfig(hidden_sizes=[64, 32])).eval()


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_without_dropout_it_is_the_model(mlp, image):
    found = with_dropout(mlp, image, 0.0, seed=3)
    np.testing.assert_allclose(found.probabilities, mlp(pixel_values=image).logits.softmax(-1)[0], atol=1e-6)
    assert with_dropout(mlp, image, 0.0, seed=4).probabilities.tolist() == found.probabilities.tolist()


def test_units_are_off_or_divided_by_what_stays(mlp, image):
    whole, dropped = (with_dropout(mlp, image, p, seed=0).units for p in (0.0, 0.5))
    off = dropped == 0
    assert 0.2 < off[whole > 0].mean() < 0.8
    np.testing.assert_allclose(dropped[~off], 2 * whole[~off], rtol=1e-6)


def test_the_mean_over_many_draws_is_what_evaluation_has(mlp, image):
    whole = with_dropout(mlp, image, 0.0, seed=0).units
    mean = np.mean([with_dropout(mlp, image, 0.5, seed).units for seed in range(400)], axis=0)
    np.testing.assert_allclose(mean.sum(), whole.sum(), rtol=0.05)
