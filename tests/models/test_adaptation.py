"""A language model becomes a classifier, is frozen, or gets low-rank adapters that are added into it at the end."""

import copy
import sys

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, OpenAIGPTConfig, XGLMConfig

from hf_llm.config import UserError
from hf_llm.models.adaptation import freeze, sequence_classifier, with_lora, without_lora

CLASSES = ("ham", "spam", "unknown")
SHAPE = {"vocab_size": 50, "bos_token_id": 0, "eos_token_id": 0}
KINDS = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=2, n_embd=16, n_positions=16, **SHAPE)),
    "llama": lambda: LlamaForCausalLM(
        LlamaConfig(num_hidden_layers=2, num_attention_heads=2, hidden_size=16, intermediate_size=32, **SHAPE)
    ),
}


@pytest.fixture(params=sorted(KINDS))
def language_model(request):
    torch.manual_seed(0)
    return KINDS[request.param]().eval()


@pytest.fixture
def ids():
    return torch.tensor([[0, 7, 9, 3], [0, 5, 0, 0]])  # the second one is padded by 0, which also begins both


def test_a_classifier_begins_with_the_weights_of_the_language_model_and_leaves_it_as_it_was(language_model, ids):
    config = copy.deepcopy(language_model.config.to_dict())
    state = torch.get_rng_state()
    classifier = sequence_classifier(language_model, CLASSES, 0, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert classifier.config.num_labels == 3
    assert classifier.config.id2label == {0: "ham", 1: "spam", 2: "unknown"}
    assert language_model.config.to_dict() == config
    with torch.no_grad():
        hidden = language_model.base_model(ids).last_hidden_state  # (2, 4, 16)
        expected = classifier.score(hidden[[0, 1], [3, 1]])  # at the last token that is not padding
        torch.testing.assert_close(classifier(ids, attention_mask=torch.ones_like(ids)).logits, expected)
    again = sequence_classifier(language_model, CLASSES, 0, seed=1)
    other = sequence_classifier(language_model, CLASSES, 0, seed=2)
    assert torch.equal(classifier.score.weight, again.score.weight)
    assert not torch.equal(classifier.score.weight, other.score.weight)


def test_freezing_leaves_the_last_layer_alone(language_model):
    classifier = freeze(sequence_classifier(language_model, CLASSES, 0, seed=1))
    trained = [name for name, weights in classifier.named_parameters() if weights.requires_grad]
    assert trained == ["score.weight"]


@pytest.mark.parametrize("classifies", [True, False])
def test_adapters_begin_as_nothing_and_are_added_into_the_weights(language_model, ids, classifies):
    model = sequence_classifier(language_model, CLASSES, 0, seed=1) if classifies else language_model
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    with torch.no_grad():
        first = model(ids).logits
        adapted = with_lora(model, rank=2, alpha=4, dropout=0.0, seed=3)
        torch.testing.assert_close(adapted(ids).logits, first)
        trained = {name: weights for name, weights in adapted.named_parameters() if weights.requires_grad}
        assert trained
        assert all("lora_" in name or "score" in name for name in trained)
        for weights in trained.values():
            weights.add_(0.1)
        moved = adapted(ids).logits
        merged = without_lora(adapted)
        torch.testing.assert_close(merged(ids).logits, moved, rtol=1e-4, atol=1e-5)
    assert (moved - first).abs().max() > 1e-3
    assert type(merged) is type(model)
    assert merged.state_dict().keys() == before.keys()
    changed = {name for name, weights in merged.state_dict().items() if not torch.equal(weights, before[name])}
    assert all("attn" in name or "score" in name for name in changed)


def test_the_seed_draws_the_adapters():
    def first_matrix(seed):
        adapted = with_lora(KINDS["gpt2"](), 2, 4, 0.0, seed)
        return next(weights for name, weights in adapted.named_parameters() if "lora_A" in name)

    assert torch.equal(first_matrix(3), first_matrix(3))
    assert not torch.equal(first_matrix(3), first_matrix(4))


def test_a_model_without_adapters_comes_back_as_it_is(language_model):
    assert without_lora(language_model) is language_model


def test_what_is_missing_is_said_in_a_sentence(monkeypatch):
    from transformers import AutoModelForCausalLM

    config = XGLMConfig(vocab_size=50, d_model=16, ffn_dim=16, num_layers=1, attention_heads=2)
    with pytest.raises(UserError, match="transformers has no text classifier for models of type xglm"):
        sequence_classifier(AutoModelForCausalLM.from_config(config), CLASSES, 0, seed=0)
    config = OpenAIGPTConfig(vocab_size=50, n_positions=16, n_embd=16, n_layer=1, n_head=2)
    with pytest.raises(UserError, match="peft knows no attention matrices of models of type openai-gpt"):
        with_lora(AutoModelForCausalLM.from_config(config), 2, 4, 0.0, seed=0)
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr("hf_llm.models.adaptation.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"method lora needs the package peft; run: pip install hf_llm\[finetune\]"):
        with_lora(KINDS["gpt2"](), 2, 4, 0.0, seed=0)
