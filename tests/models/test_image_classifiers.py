"""The four classifiers by name: seeded weights, settings that a model lacks, and that each can learn at all."""

import math

import pytest
import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

from hf_llm.config import UserError
from hf_llm.models.image_classifiers import SETTINGS, new_image_classifier
from hf_llm.models.image_processing_digits import DigitsImageProcessor

NAMES = list(SETTINGS)
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "pixel_values": torch.randn(32, 1, 28, 28, generator=generator),
        "labels": torch.randint(10, (32,), generator=generator),
    }


def weights(model) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@each
def test_weights_depend_on_the_seed_alone(name):
    torch.manual_seed(1)
    first = new_image_classifier(name, seed=7)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = new_image_classifier(name, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(new_image_classifier(name, seed=8)))
    assert first.training
    assert first.dtype == torch.float32


@each
def test_a_new_model_passes_its_signal_on_and_learns_in_every_layer(name, batch):
    model = new_image_classifier(name, seed=0)
    output = model(**batch)
    assert 0.05 < output.logits.std() < 10  # neither dead nor exploded on the way
    if name in ("resnet", "efficientnet"):
        assert output.loss.item() == pytest.approx(math.log(10), abs=0.25)
    output.loss.backward()
    for parameter_name, parameter in model.named_parameters():
        if parameter.dim() >= 2:  # a bias or gain before another batch norm has no say in the first step
            assert parameter.grad.norm() > 1e-4, parameter_name


@pytest.mark.parametrize("name", ["resnet", "efficientnet"])
def test_transformers_nets_are_of_the_same_size_and_see_more_than_one_pixel(name, batch):
    model = new_image_classifier(name, seed=0)
    assert 100_000 <= model.num_parameters() <= 105_000
    maps = [hidden.shape[-1] for hidden in model(**batch, output_hidden_states=True).hidden_states]
    assert min(maps) >= 2
    assert maps == sorted(maps, reverse=True)


def test_batch_norm_of_efficientnet_remembers_more_than_the_last_batch():
    model = new_image_classifier("efficientnet", seed=0)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}
    assert all(torch.equal(norm.weight, torch.ones_like(norm.weight)) for norm in norms)


def test_settings_reach_the_model():
    config = new_image_classifier(
        "mlp", 0, hidden_sizes=[30], activation="tanh", dropout=0.5, input_dropout=0.2, batch_norm=True, num_labels=4
    ).config
    assert config.hidden_sizes == [30]
    assert (config.hidden_act, config.dropout, config.input_dropout, config.batch_norm) == ("tanh", 0.5, 0.2, True)
    assert config.id2label == {0: "0", 1: "1", 2: "2", 3: "3"}
    config = new_image_classifier("lenet", 0, channels=[3, 5], hidden_sizes=[9], pooling="average").config
    assert (config.channels, config.hidden_sizes, config.pooling) == ([3, 5], [9], "average")
    assert new_image_classifier("efficientnet", 0, dropout=0.4).dropout.p == 0.4
    for name in NAMES:
        assert new_image_classifier(name, 0, num_labels=3).config.id2label == {0: "0", 1: "1", 2: "2"}
        assert new_image_classifier(name, 0).config.label2id["9"] == 9


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("mpl", {}, "the image classifiers are mlp, .*; there is no 'mpl', did you mean 'mlp'?"),
        ("lenet", {"batch_norm": True}, "lenet has no batch_norm to be set; leave it out, or take mlp"),
        ("mlp", {"pooling": "average"}, "mlp has no pooling to be set; leave it out, or take lenet"),
        ("resnet", {"dropout": 0.1}, "resnet has no dropout to be set"),
        ("resnet", {"activation": "tanh"}, "resnet has no activation to be set"),
        ("efficientnet", {"hidden_sizes": [3]}, "efficientnet has no hidden_sizes to be set"),
        ("mlp", {"hidden_sizes": [0]}, "^hidden_sizes must name one layer or more, each of at least one unit"),
        ("mlp", {"dropout": 1.5}, "^dropout is .* below 1, not 1.5$"),
        ("efficientnet", {"dropout": 1.0}, "^dropout is .* below 1, not 1.0$"),
        ("lenet", {"activation": "relo"}, "^hidden_act must be one of relu, sigmoid, tanh, gelu, not 'relo'$"),
        ("mlp", {"num_labels": 0}, "^num_labels must be at least 2"),
        ("resnet", {"num_labels": 1}, "^num_labels must be at least 2"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(name, settings, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        new_image_classifier(name, 0, **settings)
    assert "\n" not in str(error.value)


@each
def test_inside_the_package_the_auto_classes_need_no_remote_code(name, batch, tmp_path):
    model = new_image_classifier(name, seed=0).eval()
    model.save_pretrained(tmp_path)
    DigitsImageProcessor().save_pretrained(tmp_path)
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path, trust_remote_code=False)
    assert type(loaded) is type(model)
    assert type(AutoConfig.from_pretrained(tmp_path, trust_remote_code=False)) is type(model.config)
    assert type(AutoImageProcessor.from_pretrained(tmp_path, trust_remote_code=False)) is DigitsImageProcessor
    with torch.no_grad():
        assert torch.equal(loaded(**batch).logits, model(**batch).logits)
