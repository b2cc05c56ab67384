"""Sliding windows beside a loop that scores one token at a time."""

import math

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.evaluation import bits_per_byte, logits
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import encode_document

CONTEXT = 16


@torch.no_grad()
def one_by_one(model, ids, first_seen) -> float:
    """Total nats; token t is predicted from ids[first_seen(t):t]."""
    total = 0.0
    for t in range(1, len(ids)):
        seen = torch.tensor([ids[first_seen(t) : t].tolist()])
        total -= model(seen).logits[0, -1].double().log_softmax(-1)[int(ids[t])].item()
    return total


def window_start(t: int, tokens: int, stride: int) -> int:
    """The window that scores token t is the first of those ending at context, context + stride, … and at the end."""
    end = CONTEXT
    while end < t:
        end += stride
    return max(0, min(end, tokens) - CONTEXT)


@pytest.fixture(scope="module")
def text() -> str:
    return read_text("sample").text[40:190]  # Portuguese, so with characters of two bytes


@pytest.fixture
def ids(tokenizer, text):
    return encode_document(tokenizer, text)


@pytest.mark.parametrize("stride", [1, 3, 8, 15, 16])
def test_equals_one_token_at_a_time(model, tokenizer, ids, stride):
    scores = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), stride, CONTEXT)
    expected = one_by_one(model, ids, lambda t: window_start(t, len(ids) - 1, stride)) / (len(ids) - 1)
    assert scores.loss == pytest.approx(expected, rel=1e-6)
    assert (scores.tokens, scores.stride) == (len(ids) - 1, stride)


def test_stride_1_is_the_longest_context_for_each_token(model, tokenizer, ids):
    scores = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 1, CONTEXT)
    expected = one_by_one(model, ids, lambda t: max(0, t - CONTEXT)) / (len(ids) - 1)
    assert scores.loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("tokens", [1, 2, 15, 16, 17, 18, 33])
@pytest.mark.parametrize("stride", [1, 8, 16])
def test_short_texts(model, tokenizer, ids, tokens, stride):
    part = ids[: tokens + 1]
    scores = evaluate_tokens(model, part, token_byte_lengths(tokenizer), stride, CONTEXT)
    expected = one_by_one(model, part, lambda t: window_start(t, tokens, stride)) / tokens
    assert scores.loss == pytest.approx(expected, rel=1e-6)
    assert evaluate_tokens(model, ids, token_byte_lengths(tokenizer), stride, CONTEXT, max_tokens=tokens) == scores


def test_bytes_and_derived_figures(model, tokenizer, ids, text):
    scores = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    assert scores.bytes == len(text.encode("utf-8")) > len(text)
    assert scores.perplexity == pytest.approx(math.exp(scores.loss))
    assert scores.bits_per_byte == pytest.approx(scores.loss * scores.tokens / math.log(2) / scores.bytes)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_batch_size_changes_nothing(model, tokenizer, ids, batch_size, monkeypatch):
    lengths = token_byte_lengths(tokenizer)
    whole = evaluate_tokens(model, ids, lengths, 3, CONTEXT).loss
    batched = evaluate_tokens(model, ids, lengths, 3, CONTEXT, batch_size=batch_size).loss
    assert batched == pytest.approx(whole, rel=1e-6)
    for module in (bits_per_byte, logits):
        monkeypatch.setattr(module, "LOGITS", 1)  # no room for two windows, nor for two positions
    assert evaluate_tokens(model, ids, lengths, 3, CONTEXT).loss == pytest.approx(whole, rel=1e-6)


def test_an_untrained_model_knows_nothing(tokenizer, ids):
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=300, n_positions=16, n_embd=16, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0)
    scores = evaluate_tokens(GPT2LMHeadModel(config), ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    assert scores.loss == pytest.approx(math.log(300), rel=0.02)


def test_dropout_is_off_and_the_mode_is_kept(model, tokenizer, ids):
    expected = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    model.train()
    assert evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT) == expected
    assert model.training


def test_the_start_token_is_not_taken_for_padding(model, tokenizer, ids, monkeypatch):
    warned = []
    monkeypatch.setattr("transformers.modeling_utils.logger.warning_once", warned.append)
    evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    assert warned == []


def test_autocast(model, tokenizer, ids):
    exact = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT).loss
    rough = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT, autocast=torch.bfloat16).loss
    assert rough == pytest.approx(exact, rel=0.02)
    assert rough != exact


def test_a_diverged_model_has_no_number(model, tokenizer, ids):
    model.transformer.ln_f.weight.data.fill_(1e6)
    scores = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    assert scores.perplexity == math.inf
    model.transformer.ln_f.weight.data.fill_(math.nan)
    assert math.isnan(evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT).perplexity)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stride": 0}, "eval_stride"),
        ({"stride": 17}, "eval_stride"),
        ({"context": 17}, "context 17"),
        ({"ids": np.array([0])}, "longer"),
        ({"ids": np.array([0, 300])}, "another model's tokenizer"),
    ],
)
def test_bad_input(model, tokenizer, ids, change, words):
    arguments = {"ids": ids, "byte_lengths": token_byte_lengths(tokenizer), "stride": 8, "context": CONTEXT, **change}
    with pytest.raises(UserError, match=words):
        evaluate_tokens(model, **arguments)


def test_the_interval_is_made_only_where_it_is_asked_for(model, tokenizer, ids):
    without = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT)
    asked = evaluate_tokens(model, ids, token_byte_lengths(tokenizer), 8, CONTEXT, interval=True)
    assert without.bits_per_byte_interval_95 is None
    low, high = asked.bits_per_byte_interval_95
    assert low < asked.bits_per_byte == without.bits_per_byte < high


@pytest.mark.parametrize("max_tokens", [None, 5, 40])
@pytest.mark.parametrize("stride", [1, 7, CONTEXT])
def test_mapped_shards_give_the_figures_of_the_array_and_are_read_by_windows(
    model, tokenizer, ids, stride, max_tokens, tmp_path, monkeypatch
):
    for place, part in enumerate(np.split(ids, [3, 20])):
        np.save(tmp_path / f"validation-{place:05d}.npy", part)
    mapped = TokenArray.load(tmp_path, "validation")
    widths, window = [], TokenArray.window
    monkeypatch.setattr(TokenArray, "window", lambda self, *place: widths.append(place[1]) or window(self, *place))
    settings = {"stride": stride, "context": CONTEXT, "max_tokens": max_tokens, "interval": True}
    lengths = token_byte_lengths(tokenizer)
    assert evaluate_tokens(model, mapped, lengths, **settings) == evaluate_tokens(model, ids, lengths, **settings)
    assert max(widths) <= CONTEXT + 1
