"""The MLP: the arithmetic it stands for, its dropouts, its first weights, and what it refuses."""

import math

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError

from hf_llm.models.configuration_mlp import MLPConfig
from hf_llm.models.modeling_mlp import MLPForImageClassification


def mlp(**settings) -> MLPForImageClassification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLPForImageClassification(MLPConfig(**settings))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(16, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", lambda z: z.clamp(min=0)),
        ("sigmoid", lambda z: 1 / (1 + (-z).exp())),
        ("tanh", lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())),
        ("gelu", lambda z: z * (1 + torch.erf(z / math.sqrt(2))) / 2),
    ],
)
def test_is_its_formula(images, name, function):
    model = mlp(hidden_sizes=[20, 15], hidden_act=name).eval()
    w = {name: tensor.double() for name, tensor in model.state_dict().items()}
    first = function(images.flatten(1).double() @ w["layers.0.0.weight"].T + w["layers.0.0.bias"])
    second = function(first @ w["layers.1.0.weight"].T + w["layers.1.0.bias"])
    logits = second @ w["classifier.weight"].T + w["classifier.bias"]
    output = model.double()(images.double(), output_hidden_states=True)
    assert len(output.hidden_states) == 2
    for ours, expected in zip([*output.hidden_states, output.logits], [first, second, logits], strict=True):
        assert torch.allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_batch_norm_comes_before_the_activation_and_replaces_the_bias(images):
    model = mlp(hidden_sizes=[20], batch_norm=True)  # in training mode: by the batch's own mean and variance
    z = images.flatten(1) @ model.layers[0][0].weight.T
    expected = ((z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()).clamp(min=0)
    assert torch.allclose(model(images, output_hidden_states=True).hidden_states[0], expected, atol=1e-5)
    assert [name for name, _ in model.named_parameters() if "layers" in name and "bias" in name] == ["layers.0.1.bias"]


def test_dropout_acts_on_hidden_units_and_input_dropout_on_pixels(images):
    torch.manual_seed(1)
    many = images.abs().repeat(16, 1, 1, 1) + 1  # no pixel is zero by itself
    hidden = mlp(hidden_sizes=[1000], hidden_act="sigmoid", dropout=0.3)(many, output_hidden_states=True)
    assert (hidden.hidden_states[0] == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)

    model, seen = mlp(hidden_sizes=[8], input_dropout=0.2), []
    model.layers[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    logits = [model(many).logits for _ in range(2)]
    assert (seen[0] == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert not torch.equal(*logits)
    model.eval()
    assert torch.equal(model(many).logits, model(many).logits)
    assert not (seen[-1] == 0).any()


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "sigmoid"])
def test_first_weights_follow_the_activation(activation):
    model = mlp(hidden_sizes=[400, 300], hidden_act=activation)
    linears = [*(layer[0] for layer in model.layers), model.classifier]
    for linear, inputs, units in zip(linears, [784, 400, 300], [400, 300, 10], strict=True):
        he, glorot = math.sqrt(2 / inputs), math.sqrt(2 / (inputs + units))
        expected = he if activation in ("relu", "gelu") else glorot
        assert linear.weight.std().item() == pytest.approx(expected, rel=0.05)
        assert not linear.bias.any()


def test_signals_keep_their_size_through_ten_layers_of_relu(images):
    hidden = mlp(hidden_sizes=[512] * 10)(images, output_hidden_states=True).hidden_states
    assert 0.3 < hidden[-1].pow(2).mean() / hidden[0].pow(2).mean() < 3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"hidden_sizes": [512, 0]}, "hidden_sizes must name one layer or more, each of at least one unit"),
        ({"hidden_sizes": []}, "hidden_sizes must name one layer or more"),
        ({"dropout": 1.5}, "dropout is the share of units that are dropped: at least 0 and below 1, not 1.5"),
        ({"dropout": 1.0}, "at least 0 and below 1, not 1.0"),
        ({"dropout": math.nan}, "at least 0 and below 1, not nan"),
        ({"input_dropout": -0.1}, "input_dropout is the share of units that are dropped"),
        ({"hidden_act": "relo"}, "hidden_act must be one of relu, sigmoid, tanh, gelu, not 'relo'"),
        ({"num_labels": 0}, "num_labels must be at least 2"),
        ({"num_labels": 1}, "num_labels must be at least 2"),
        ({"image_size": 0}, "image_size must be at least 1, not 0"),
        ({"image_size": "28"}, "Field 'image_size' expected int, got str"),
        ({"problem_type": "regression"}, "Field 'problem_type' expected one of"),
    ],
)
def test_an_impossible_setting_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises((StrictDataclassError, ValueError)) as error:
        MLPConfig(**settings)
    reason = str(error.value.__cause__ or error.value)
    assert sentence in reason
    assert "\n" not in reason


def test_images_of_another_size_or_type_are_refused_in_one_sentence(images):
    for wrong in (images[..., :27], images[:, 0], images.repeat(1, 3, 1, 1), images.flatten(1)):
        with pytest.raises(ValueError, match=r"pixel_values has shape .* takes \(batch, 1, 28, 28\)"):
            mlp()(wrong)
    with pytest.raises(ValueError, match=r"pixel_values is torch.uint8, .* floating-point"):
        mlp()(images.to(torch.uint8))


@pytest.mark.parametrize("wrong", [10, -1])
def test_a_label_outside_the_classes_is_refused(images, wrong):
    with pytest.raises(IndexError, match="out of bounds"):
        mlp()(images, labels=torch.full((16,), wrong))
