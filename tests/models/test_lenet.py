"""LeNet-5: the layers of 1998, and the two ways of pooling."""

import math

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from torch.nn import functional as F

from hf_llm.models.configuration_lenet import LeNetConfig
from hf_llm.models.modeling_lenet import LeNetForImageClassification


def lenet(**settings) -> LeNetForImageClassification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LeNetForImageClassification(LeNetConfig(**settings))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(16, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("settings", "activation", "pool"),
    [
        ({}, torch.relu, F.max_pool2d),
        ({"hidden_act": "tanh", "pooling": "average"}, torch.tanh, F.avg_pool2d),
    ],
    ids=["today", "1998"],
)
def test_is_its_layers(images, settings, activation, pool):
    model = lenet(**settings).double().eval()
    w = model.state_dict()
    c1 = activation(F.conv2d(images.double(), w["c1.weight"], w["c1.bias"], padding=2))
    s2 = pool(c1, 2)
    c3 = activation(F.conv2d(s2, w["c3.weight"], w["c3.bias"]))
    s4 = pool(c3, 2)
    c5 = activation(F.linear(s4.flatten(1), w["layers.0.0.weight"], w["layers.0.0.bias"]))
    f6 = activation(F.linear(c5, w["layers.1.0.weight"], w["layers.1.0.bias"]))
    logits = F.linear(f6, w["classifier.weight"], w["classifier.bias"])
    output = model(images.double(), output_hidden_states=True)
    for ours, expected in zip([*output.hidden_states, output.logits], [c1, s2, c3, s4, c5, f6, logits], strict=True):
        assert torch.allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_has_the_published_shapes(images):
    model = lenet()
    shapes = [tuple(hidden.shape[1:]) for hidden in model(images, output_hidden_states=True).hidden_states]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,)]
    assert model.num_parameters() == 61_706  # of which 156, 48,120 and 10,164 are those of 1998's C1, C5 and F6
    assert [sum(p.numel() for p in part.parameters()) for part in (model.c1, *model.layers)] == [156, 48_120, 10_164]


def test_other_sizes_of_image_and_layers():
    model = lenet(image_size=33, num_channels=3, channels=[4, 8], hidden_sizes=[50], num_labels=7)
    assert model(torch.zeros(2, 3, 33, 33)).logits.shape == (2, 7)
    assert lenet(image_size=12)(torch.zeros(2, 1, 12, 12)).logits.shape == (2, 10)


def test_dropout_leaves_the_maps_alone(images):
    torch.manual_seed(1)
    hidden = lenet(dropout=0.5, hidden_act="sigmoid")(images, output_hidden_states=True).hidden_states
    assert [bool((layer == 0).any()) for layer in hidden] == [False, False, False, False, True, True]


def test_convolutions_start_by_the_activation():
    for activation, expected in (("relu", math.sqrt(2 / 25)), ("tanh", math.sqrt(2 / (25 + 25 * 100)))):
        model = lenet(channels=[100, 16], hidden_act=activation)
        assert model.c1.weight.std().item() == pytest.approx(expected, rel=0.05)
        assert not model.c1.bias.any()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"channels": [6]}, "channels must be two numbers of at least 1"),
        ({"channels": [6, 0]}, "channels must be two numbers of at least 1"),
        ({"pooling": "min"}, "pooling must be one of max, average, not 'min'"),
        ({"image_size": 11}, "image_size must be at least 12 pixels for LeNet, not 11"),
        ({"hidden_sizes": [120, 0]}, "hidden_sizes must name one layer or more, each of at least one unit"),
        ({"dropout": 1.5}, "at least 0 and below 1, not 1.5"),
    ],
)
def test_an_impossible_setting_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(StrictDataclassError) as error:
        LeNetConfig(**settings)
    assert sentence in str(error.value.__cause__)
