"""Sizes and configuration of GPT-2, its parameter counts, and what a new model is like."""

import math
import warnings

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.models.gpt2 import gpt2_config, new_gpt2, parameter_counts
from hf_llm.models.sizes import SIZES, size_named

PUBLISHED = {"small": 124_439_808, "medium": 354_823_168, "large": 774_030_080, "xl": 1_557_611_200}


@pytest.mark.parametrize("size", SIZES)
def test_parameter_counts_are_those_of_the_model(size):
    config = gpt2_config(size)
    model = new_gpt2(config, seed=0, device="meta").transformer
    counts = parameter_counts(config)

    def held_by(*modules):
        return sum(parameter.numel() for module in modules for parameter in module.parameters())

    assert counts == {
        "token_embedding": held_by(model.wte),
        "position_embedding": held_by(model.wpe),
        "attention": held_by(*(block.attn for block in model.h)),
        "mlp": held_by(*(block.mlp for block in model.h)),
        "layer_norms": held_by(model.ln_f, *(norm for block in model.h for norm in (block.ln_1, block.ln_2))),
        "output_head": 0,
        "total": PUBLISHED.get(size, held_by(model)),
    }


def test_parameter_counts_of_other_shapes():
    config = gpt2_config("nano", vocab_size=300)
    config.n_inner, config.tie_word_embeddings = 100, False
    counts = parameter_counts(config)
    assert counts["output_head"] == 300 * 64
    assert counts["total"] == new_gpt2(config, seed=0, device="meta").num_parameters()


def test_what_is_given_replaces_the_size():
    config = gpt2_config("micro", vocab_size=65, n_positions=64, n_layer=5, n_head=2, n_embd=32, dropout=0.25)
    shape = (config.vocab_size, config.n_positions, config.n_layer, config.n_head, config.n_embd)
    assert shape == (65, 64, 5, 2, 32)
    assert (config.embd_pdrop, config.attn_pdrop, config.resid_pdrop) == (0.25, 0.25, 0.25)
    assert config._attn_implementation == "sdpa"
    assert gpt2_config("micro", attention="eager")._attn_implementation == "eager"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, 50256), ({"vocab_size": 500}, 0), ({"vocab_size": 500, "bos_token_id": 7}, 7), ({"bos_token_id": 0}, 0)],
)
def test_one_special_token_is_bos_and_eos_and_pads_when_generating(settings, expected):
    config = gpt2_config("small", **settings)
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (expected, expected, None)
    assert new_gpt2(config, seed=0, device="meta").generation_config.pad_token_id == expected


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": "larg"}, "did you mean 'large'"),
        ({"n_embd": 100, "n_head": 12}, "the nearest n_embd that does is 96"),
        ({"n_layer": 0}, "n_layer must be at least 1"),
        ({"n_head": -1}, "n_head must be at least 1"),
        ({"n_positions": 1}, "n_positions must be at least 2"),
        ({"vocab_size": 0}, "vocab_size must be at least 1"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"dropout": -0.1}, "dropout must be"),
        ({"vocab_size": 500, "bos_token_id": 500}, "ends at id 499"),
        ({"attention": "someone/kernel"}, "attention must be sdpa or eager"),
    ],
)
def test_impossible_configurations_get_a_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        gpt2_config(**{"size": "nano", **settings})
    assert "\n" not in str(error.value)


def test_sizes_are_known_by_name():
    assert (size_named("xl").n_layer, size_named("xl").n_head, size_named("xl").n_embd) == (48, 25, 1600)


def test_weights_depend_on_the_seed_alone():
    config = gpt2_config("nano", vocab_size=50)
    torch.manual_seed(1)
    first = new_gpt2(config, seed=0).state_dict()
    untouched = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(untouched, torch.rand(1))  # making a model drew nothing from the global generator
    again, other = new_gpt2(config, seed=0).state_dict(), new_gpt2(config, seed=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["transformer.wte.weight"], other["transformer.wte.weight"])


def test_a_new_model_guesses_evenly_and_does_not_warn(caplog):
    config = gpt2_config("nano", vocab_size=1000, dropout=0.0)
    ids = torch.randint(1, 1000, (4, 128), generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = new_gpt2(config, seed=0)(input_ids=ids, labels=ids).loss
    assert loss.item() == pytest.approx(math.log(1000), rel=0.02)
    assert not caplog.records


def test_models_do_not_share_their_configuration():
    config = gpt2_config("nano")
    new_gpt2(config, seed=0, device="meta").config.use_cache = False
    assert config.use_cache


def test_the_deviation_of_the_initial_weights_can_be_chosen():
    def deviation(**chosen) -> float:
        return new_gpt2(gpt2_config("nano", **chosen), seed=0).transformer.wte.weight.std().item()

    assert deviation() == pytest.approx(0.02, rel=0.02)
    assert deviation(initializer_range=0.1) == pytest.approx(0.1, rel=0.02)
