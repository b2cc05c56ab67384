"""The evaluate modules, loaded by path and offline, give the numbers of evaluate_tokens."""

from pathlib import Path

import evaluate
import pytest

from hf_llm.data import read_text
from hf_llm.evaluation import metrics
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.tokenizer import encode_document

FOLDER = Path(metrics.__path__[0])


def load(name: str, cache_dir: Path):
    return evaluate.load(str(FOLDER / name), cache_dir=str(cache_dir))


@pytest.fixture
def scores(model, tokenizer):
    texts = ["Era uma vez uma casa.", read_text("sample").text[:200]]
    lengths = token_byte_lengths(tokenizer)
    return [evaluate_tokens(model, encode_document(tokenizer, text), lengths, 8, 16) for text in texts]


def test_one_text(scores, tmp_path):
    for score in scores:
        nll = [score.loss * score.tokens]
        perplexity = load("perplexity", tmp_path).compute(nll=nll, tokens=[score.tokens])
        assert perplexity["perplexity"] == pytest.approx(score.perplexity, rel=1e-12)
        assert perplexity["loss"] == pytest.approx(score.loss, rel=1e-12)
        bits = load("bits_per_byte", tmp_path).compute(nll=nll, bytes=[score.bytes])
        assert bits["bits_per_byte"] == pytest.approx(score.bits_per_byte, rel=1e-12)


def test_texts_weigh_by_their_length(scores, tmp_path):
    perplexity, bits = load("perplexity", tmp_path), load("bits_per_byte", tmp_path)
    for score in scores:
        perplexity.add_batch(nll=[score.loss * score.tokens], tokens=[score.tokens])
        bits.add_batch(nll=[score.loss * score.tokens], bytes=[score.bytes])
    nats = sum(score.loss * score.tokens for score in scores)
    assert perplexity.compute()["loss"] == pytest.approx(nats / sum(score.tokens for score in scores))
    ratio = sum(score.bits_per_byte * score.bytes for score in scores) / sum(score.bytes for score in scores)
    assert bits.compute()["bits_per_byte"] == pytest.approx(ratio)
