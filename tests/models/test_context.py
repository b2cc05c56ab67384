"""How many tokens each family reads, and that it reads so many; a family that sees ahead is refused."""

import json

import numpy as np
import pytest
import torch
from foreign_models import CONTEXT, FAMILIES, UNBOUNDED, foreign_model
from transformers import BertConfig, BertLMHeadModel, XLNetConfig, XLNetLMHeadModel

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.models.context import context_length
from hf_llm.models.loading import load_causal_lm
from hf_llm.tokenization.tokenizer import train_bpe

# these know nothing of a place beyond, and say so with a traceback
HARD = {
    "gpt2",
    "openai-gpt",
    "ctrl",
    "gptj",
    "opt",
    "bart",
    "mpt",
    "bert",
    "roberta",
    "xlm-roberta",
    "camembert",
    "trocr",
}


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(read_text("sample").text, 300)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_context_is_what_the_model_can_read(family):
    model = foreign_model(family)
    context = context_length(model)
    assert context == (None if family in UNBOUNDED else CONTEXT)
    model(input_ids=torch.arange(2, 2 + CONTEXT)[None])
    if family in HARD:
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.arange(3 + CONTEXT)[None] + 2)
    else:
        model(input_ids=torch.arange(3 + CONTEXT)[None] + 2)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_loaded_read_and_written_past_its_context(family, tokenizer, tmp_path):
    foreign_model(family).save_pretrained(tmp_path)
    model = load_causal_lm(tmp_path)
    context = context_length(model) or CONTEXT
    scores = evaluate_tokens(model, np.arange(2, 60), np.ones(300, int), stride=context // 2, context=context)
    assert np.isfinite(scores.loss)
    model.generation_config.eos_token_id = None
    text = generate(model, tokenizer, "A long prompt, " * 5, GenerationSettings(max_new_tokens=30, do_sample=False))
    assert len(text.token_ids) == 30
    assert text.slid == (family not in UNBOUNDED)


def test_nothing_bounds_xlnet():
    config = XLNetConfig(vocab_size=300, d_model=16, n_layer=1, n_head=2, d_inner=16)
    assert context_length(XLNetLMHeadModel(config)) is None


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "camembert"])
def test_an_encoder_is_no_causal_model(family, tmp_path):
    foreign_model(family, is_decoder=False).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is no causal language model: what it predicts depends on"):
        load_causal_lm(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "is_decoder": True}))
    load_causal_lm(tmp_path)


def test_nor_is_xlnet(tmp_path):
    config = XLNetConfig(vocab_size=300, d_model=16, n_layer=1, n_head=2, d_inner=16)
    XLNetLMHeadModel(config).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is no causal language model"):
        load_causal_lm(tmp_path)


def test_a_trained_encoder_moves_earlier_logits_and_a_decoder_does_not():
    """The fact that the check rests on: token 19 of a BERT that is no decoder moves the logits of tokens 0 to 9."""
    moved = {}
    for is_decoder in (False, True):
        torch.manual_seed(0)
        sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
        model = BertLMHeadModel(BertConfig(vocab_size=300, is_decoder=is_decoder, **sizes)).eval()
        ids = torch.arange(20).repeat(2, 1)
        ids[1, 19] = 99
        with torch.no_grad():
            logits = model(input_ids=ids).logits
        moved[is_decoder] = float((logits[0, :10] - logits[1, :10]).abs().max())
    assert moved[True] == 0 < moved[False]


def test_a_model_whose_training_diverged_is_loaded(tmp_path):
    model = foreign_model("gpt2")
    model.transformer.ln_f.weight.data.fill_(torch.nan)
    model.save_pretrained(tmp_path)
    load_causal_lm(tmp_path)


def test_a_model_that_reads_more_than_text_gets_a_sentence(tmp_path, monkeypatch):
    foreign_model("gpt2").save_pretrained(tmp_path)

    def forward(self, **_):
        raise ValueError("You have to specify pixel_values\nand more")

    monkeypatch.setattr("transformers.GPT2LMHeadModel.forward", forward)
    with pytest.raises(UserError, match=r"cannot read a text alone \(You have to specify pixel_values\)"):
        load_causal_lm(tmp_path)
