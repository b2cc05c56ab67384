"""What transformers expects of any model, for ours: each test bears the name that it has in transformers' own suite
(`test_modeling_common`, `test_configuration_common`, version 5), and was written anew.

Here: ConfigTester's five, test_save_load, test_from_pretrained_no_checkpoint, test_can_use_safetensors,
test_correct_missing_keys, test_load_with_mismatched_shapes, test_can_init_all_missing_weights, test_initialization,
test_determinism, test_batching_equivalence, test_forward_signature, test_model_outputs_equivalence,
test_hidden_states_output, test_retain_grad_hidden_states, test_training, test_model_main_input_name,
test_num_labels_change and test_dtype (these two are spread over several tests there).

Not here, since a small net of images has no such thing: attentions, head masks, token embeddings and their resizing,
tied weights, caches and generation, gradient checkpointing, chunked feed-forward, parallel and quantised loading.
"""

import inspect
import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageClassification, initialization
from transformers.modeling_outputs import ImageClassifierOutput

from hf_llm.models.image_classifiers import (
    LeNetConfig,
    LeNetForImageClassification,
    MLPConfig,
    MLPForImageClassification,
)

CASES = {
    "mlp": (MLPForImageClassification, {"hidden_sizes": [24, 16]}),
    "mlp-batch-norm": (MLPForImageClassification, {"hidden_sizes": [24, 16], "batch_norm": True, "dropout": 0.2}),
    "lenet": (LeNetForImageClassification, {"dropout": 0.2}),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def config(case):
    model_class, settings = case
    return model_class.config_class(**settings)


@pytest.fixture
def model(case, config):
    torch.manual_seed(0)
    model = case[0](config)
    for norm in [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)]:
        norm.running_mean.normal_()  # as if it had been trained: what is not saved would be seen
        norm.running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    return {"pixel_values": torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(1))}


LABELS = torch.arange(6)


# --- the configuration ------------------------------------------------------------------------------------------------


def test_config_create_and_test_config_to_json_string(config):
    assert type(config).from_dict(config.to_dict()).to_json_string() == config.to_json_string()


def test_config_create_and_test_config_from_and_save_pretrained(config, tmp_path):
    config.save_pretrained(tmp_path)
    for loaded in (type(config).from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert type(loaded) is type(config)
        loaded._name_or_path = config._name_or_path  # where it came from; all else is what was saved
        assert loaded.to_dict() == config.to_dict()


def test_config_create_and_test_config_with_num_labels(case):
    config = case[0].config_class(num_labels=5)
    assert (len(config.id2label), len(config.label2id)) == (5, 5)
    config.num_labels = 3
    assert (len(config.id2label), len(config.label2id)) == (3, 3)


def test_config_check_config_can_be_init_without_params(case):
    config = case[0].config_class()
    assert config.num_labels == 10
    assert (config.id2label[7], config.label2id["7"]) == ("7", 7)


def test_config_check_config_arguments_init(case):
    """Settings common to all models arrive, and no list is shared between two configurations."""
    config = case[0].config_class(output_hidden_states=True, return_dict=False, id2label={0: "a", 1: "b"})
    assert (config.output_hidden_states, config.return_dict, config.num_labels) == (True, False, 2)
    config.hidden_sizes.append(1)
    assert case[0].config_class().hidden_sizes != config.hidden_sizes


# --- saving and loading -----------------------------------------------------------------------------------------------


def test_save_load(case, model, inputs, tmp_path):
    model.save_pretrained(tmp_path)
    for loader in (case[0], AutoModelForImageClassification):
        loaded, report = loader.from_pretrained(tmp_path, output_loading_info=True)
        assert not any(report.values()), report
        assert not loaded.training
        with torch.no_grad():
            assert torch.equal(loaded(**inputs).logits, model(**inputs).logits)


def test_from_pretrained_no_checkpoint(case, model, inputs):
    loaded = case[0].from_pretrained(None, config=model.config, state_dict=model.state_dict())
    with torch.no_grad():
        assert torch.equal(loaded.eval()(**inputs).logits, model(**inputs).logits)


def test_can_use_safetensors(model, tmp_path):
    model.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert saved.keys() == model.state_dict().keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.state_dict().items())


def test_correct_missing_keys(case, config, model, tmp_path):
    """A checkpoint without the classifier loads, says so, and the classifier is drawn as a new one is."""
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(
        {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")},
        tmp_path / "model.safetensors",
        metadata={"format": "pt"},
    )
    loaded, report = case[0].from_pretrained(tmp_path, output_loading_info=True)
    assert set(report["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    assert loaded.classifier.weight.std().item() == pytest.approx(math.sqrt(2 / config.hidden_sizes[-1]), rel=0.2)
    assert not loaded.classifier.bias.any()
    kept = loaded.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in weights.items() if "classifier" not in name)


def test_load_with_mismatched_shapes(case, config, model, inputs, tmp_path):
    model.save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="mismatch"):
        case[0].from_pretrained(tmp_path, num_labels=42)
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path, num_labels=42, ignore_mismatched_sizes=True)
    assert loaded(**inputs).logits.shape == (6, 42)
    first = next(iter(model.state_dict()))
    assert torch.equal(loaded.state_dict()[first], model.state_dict()[first])
    assert loaded.classifier.weight.std().item() == pytest.approx(math.sqrt(2 / config.hidden_sizes[-1]), rel=0.2)


def test_can_init_all_missing_weights(case, config, monkeypatch):
    """Loading from nothing draws what building draws: `_init_weights` leaves no tensor to chance."""

    def seeded(function):
        def draw(*args, **kwargs):
            torch.manual_seed(3)
            return function(*args, **kwargs)

        return draw

    for name, function in initialization.TORCH_INIT_FUNCTIONS.items():
        monkeypatch.setitem(initialization.TORCH_INIT_FUNCTIONS, name, seeded(function))
    built = case[0](config)
    loaded = case[0].from_pretrained(None, config=config, state_dict={})
    for (name, one), other in zip(built.state_dict().items(), loaded.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_initialization(case, config):
    for name, parameter in case[0](config).named_parameters():
        assert parameter.isfinite().all(), name
        if parameter.dim() >= 2:
            assert abs(parameter.mean()) < 0.1, name
            assert parameter.std() > 1e-3, name
        else:
            gain = ".1.weight" in name  # of a batch norm
            assert torch.equal(parameter, torch.full_like(parameter, float(gain))), name


def test_dtype(case, model, inputs, tmp_path):
    with torch.no_grad():
        expected = model(**inputs).logits
        half = model.to(torch.bfloat16)
        half.save_pretrained(tmp_path)
        for dtype in ("auto", torch.bfloat16, torch.float32):
            loaded_as = torch.bfloat16 if dtype == "auto" else dtype
            loaded = AutoModelForImageClassification.from_pretrained(tmp_path, dtype=dtype)
            assert loaded.dtype == loaded_as
            output = loaded(inputs["pixel_values"].to(loaded_as), labels=LABELS)
            assert output.logits.dtype == loaded_as
            assert output.loss.isfinite()
            assert (output.logits.float() - expected).norm() <= 0.02 * expected.norm()


# --- the forward pass -------------------------------------------------------------------------------------------------


def test_model_main_input_name(model):
    first = next(iter(inspect.signature(model.forward).parameters))
    assert first == model.main_input_name == "pixel_values"


def test_forward_signature(model):
    parameters = inspect.signature(model.forward).parameters
    assert list(parameters)[:4] == ["pixel_values", "labels", "output_hidden_states", "return_dict"]
    assert "num_items_in_batch" in parameters
    assert any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())


def test_determinism(model, inputs):
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_batching_equivalence(model, inputs):
    """In evaluation no image's scores depend on its neighbours."""
    with torch.no_grad():
        together = model(**inputs).logits
        alone = torch.cat([model(image[None]).logits for image in inputs["pixel_values"]])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("wants_hidden_states", [False, True])
@pytest.mark.parametrize("labels", [None, LABELS], ids=["without-labels", "with-labels"])
def test_model_outputs_equivalence(model, inputs, labels, wants_hidden_states):
    asked = inputs | {"labels": labels, "output_hidden_states": wants_hidden_states}
    as_dict = model(**asked)
    assert isinstance(as_dict, ImageClassifierOutput)
    expected = {"loss": labels is not None, "logits": True, "hidden_states": wants_hidden_states}
    assert list(as_dict) == [name for name, present in expected.items() if present]
    as_tuple = model(**asked, return_dict=False)
    assert type(as_tuple) is tuple
    for one, other in zip(as_tuple, as_dict.to_tuple(), strict=True):
        assert all(map(torch.equal, one, other)) if isinstance(one, tuple) else torch.equal(one, other)
    model.config.return_dict = False
    assert type(model(**inputs)) is tuple


def test_hidden_states_output(model, inputs):
    from_argument = model(**inputs, output_hidden_states=True).hidden_states
    layers = len(model.config.hidden_sizes) + (4 if isinstance(model, LeNetForImageClassification) else 0)
    assert len(from_argument) == layers
    assert [hidden.shape[1] for hidden in from_argument[-2:]] == model.config.hidden_sizes
    assert model(**inputs).hidden_states is None
    model.config.output_hidden_states = True
    assert all(map(torch.equal, model(**inputs).hidden_states, from_argument))


def test_retain_grad_hidden_states(model, inputs):
    output = model(**inputs, output_hidden_states=True)
    for hidden in output.hidden_states:
        hidden.retain_grad()
    output.logits.sum().backward()
    assert all(hidden.grad is not None and hidden.grad.any() for hidden in output.hidden_states)


def test_training(model, inputs):
    """A gradient reaches every parameter, and the configuration is not written into."""
    before = model.config.to_json_string()
    model.train()(**inputs, labels=LABELS).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.norm() > 1e-6, name
    assert model.config.to_json_string() == before


def test_num_labels_change(case):
    for count in (2, 3, 42):
        torch.manual_seed(0)
        output = case[0](case[0].config_class(num_labels=count)).eval()(
            torch.zeros(2, 1, 28, 28), labels=torch.tensor([0, count - 1])
        )
        assert output.logits.shape == (2, count)
        assert output.loss.isfinite()


def test_loss_is_the_sum_over_the_items_of_the_step(model, inputs):
    sums = torch.nn.functional.cross_entropy(model(**inputs).logits, LABELS, reduction="sum")
    assert torch.allclose(model(**inputs, labels=LABELS).loss, sums / 6)
    for count in (24, torch.tensor(24)):
        assert torch.allclose(model(**inputs, labels=LABELS, num_items_in_batch=count).loss, sums / 24)


def test_each_case_has_its_own_class():
    assert {model_class.config_class for model_class, _ in CASES.values()} == {MLPConfig, LeNetConfig}
