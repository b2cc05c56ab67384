"""The baselines of bits per byte: chosen without the scored text, causal, bounded, the same from text and tokens."""

import dataclasses

import numpy as np
import pytest

from hf_llm.config import UserError
from hf_llm.data import read_text, split_text
from hf_llm.evaluation import baselines as module
from hf_llm.evaluation.baselines import baselines, compressor_bits_per_byte, corpus_baselines
from hf_llm.ngrams.byte_ngrams import LONGEST
from hf_llm.ngrams.choice import DISCOUNTS, best_ngram, counted
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.byte_lengths import text_bytes
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import corpus_from_text, load_corpus, read_corpus
from hf_llm.tokenization.ngram_text import DOCUMENT_END
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import load_tokenizer, train_bpe


@pytest.fixture(scope="module")
def parts() -> tuple[bytes, bytes]:
    train, test = split_text(read_text("sample").text)
    return train.encode("utf-8"), test.encode("utf-8")


def test_both_figures_and_what_they_learned_from(parts):
    train, test = parts
    found = baselines(train, test)
    assert (found["trained_bytes"], found["scored_bytes"]) == (len(train), len(test))
    ngram = found["ngram"]
    model = counted(train, ngram["order"], ngram["discount"])
    assert ngram["bits_per_byte"] == pytest.approx(model.bits_per_byte(test))
    assert 1.5 < ngram["bits_per_byte"] < found["compressor"]["bits_per_byte"] < 4
    assert baselines(train, test) == found


def test_the_scored_text_has_no_part_in_the_choice(parts):
    train, test = parts
    chosen = [baselines(train, scored)["ngram"] for scored in (test, test[::-1], b"?")]
    assert len({(each["order"], each["discount"]) for each in chosen}) == 1
    assert (chosen[0]["order"], chosen[0]["discount"]) == best_ngram(train)


def test_the_choice_is_the_best_on_the_last_tenth(parts):
    train, _ = parts
    learned, judged = train[: -(len(train) // 10)], train[-(len(train) // 10) :]
    bits = {
        (order, discount): counted(learned, order, discount).bits_per_byte(judged)
        for order in range(1, LONGEST + 1)
        for discount in DISCOUNTS
    }
    assert bits[best_ngram(train)] == min(bits.values())


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_it_is_normalised_and_causal_with_every_discount(parts, discount):
    train, test = parts
    model, other = counted(train, 6, discount), test[:200] + bytes(255 - byte for byte in test[200:])
    for place in (0, 1, 7, 100):
        assert model.probabilities(test[:place]).sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(model.bits(test)[:200], model.bits(other)[:200])
    np.testing.assert_array_equal(model.bits(test[:50]), model.bits(test)[:50])


@pytest.mark.parametrize("discount", [0.0, 1.0, 2.0])
def test_an_impossible_discount_gets_a_sentence(parts, discount):
    with pytest.raises(UserError, match="between 0 and 1"):
        counted(parts[0], 3, discount)


def test_a_larger_corpus_is_read_next_to_the_border(parts, monkeypatch):
    train, test = parts
    expected = baselines(train[-4000:], test[:300])
    monkeypatch.setattr(module, "TRAINED", 4000)
    monkeypatch.setattr(module, "SCORED", 300)
    assert baselines(train, test) == expected
    assert (expected["trained_bytes"], expected["scored_bytes"]) == (4000, 300)


def test_the_end_of_a_document_costs_and_is_no_byte_of_the_text(parts):
    train, test = parts
    found = baselines(train, test[:100] + DOCUMENT_END + test[100:200])
    order, discount = best_ngram(train)
    bits = counted(train, order, discount).bits(test[:100] + DOCUMENT_END + test[100:200])
    assert found["scored_bytes"] == 200
    assert found["ngram"]["bits_per_byte"] == pytest.approx(bits.sum() / 200)


@pytest.mark.parametrize(("train", "test"), [(b"", b"text"), (b"text", b""), (b"text", DOCUMENT_END)])
def test_nothing_to_learn_or_to_score_gets_a_sentence(train, test):
    with pytest.raises(UserError, match="longer text"):
        baselines(train, test)


def test_next_to_nothing(parts):
    found = baselines(b"a", b"b")
    assert np.isfinite([found["ngram"]["bits_per_byte"], found["compressor"]["bits_per_byte"]]).all()


def test_from_tokens_it_is_the_same_also_where_the_text_is_encoded_many_times(parts):
    text = read_text("sample")
    tokenizer = train_bpe(split_text(text.text)[0], 400)
    corpus = corpus_from_text(text, tokenizer)
    arrays = encodings_with_dropout(tokenizer, split_text(text.text)[0], 0.3, copies=3, seed=0)
    many = dataclasses.replace(corpus, train=TokenArray(arrays), encodings=len(arrays))
    assert corpus_baselines(corpus) == corpus_baselines(many) == baselines(*parts)
    read = read_corpus("sample", None, vocab_size=400, context=16, bpe_dropout=0.3)
    assert corpus_baselines(read) == baselines(*parts)


def test_a_prepared_corpus_of_several_documents(tmp_path):
    words = read_text("sample").text.split()
    documents = [" ".join(words[start : start + 40]) for start in range(0, len(words) - 40, 40)]
    (tmp_path / "texts.txt").write_text("\n===\n".join(documents), encoding="utf-8")
    config = PrepareCorpusConfig(
        files=[str(tmp_path / "texts.txt")], document_separator="\n===\n", output_dir=str(tmp_path / "corpus"),
        vocab_size=300, validation_per_mille=200, shard_tokens=500,
    )  # fmt: skip
    prepare_corpus(config)
    tokenizer = load_tokenizer(str(tmp_path / "corpus"))
    corpus = load_corpus(tmp_path / "corpus", tokenizer)
    found = corpus_baselines(corpus)
    assert found["scored_bytes"] == corpus.validation_bytes
    whole = text_bytes(tokenizer, corpus.train.window(0, len(corpus.train)))
    assert whole.count(DOCUMENT_END) == sum(text.encode("utf-8") in whole for text in documents) > 1
    assert found["trained_bytes"] == len(whole) - 1


def test_the_verdict(verdict_text):
    """Two programs agree: another one had 2.333 for its best n-gram of these bytes."""
    train, test = (part.encode("utf-8") for part in split_text(verdict_text))
    assert baselines(train, test)["ngram"]["bits_per_byte"] == pytest.approx(2.334, abs=0.001)


def test_the_compressor(parts):
    train, test = parts
    noise = bytes(np.random.default_rng(0).integers(0, 256, 2000, dtype=np.uint8))
    assert compressor_bits_per_byte(train, train[:2000]) < 0.1  # its window reaches back to all of it
    assert compressor_bits_per_byte(train, noise) == pytest.approx(8, abs=0.25)
    assert 2 < compressor_bits_per_byte(train, test) < 5
