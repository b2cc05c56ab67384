"""Our BPE in slow motion is the BPE of tokenizers: the same merges, the same ids."""

import json
import random

import numpy as np
import pytest

from hf_llm.tokenization.bpe import VOCABULARY, join, pretokenize, replay, tokenize
from hf_llm.tokenization.tokenizer import encode, encode_batch, train_bpe


def check_against_tokenizers(text: str, vocab_size: int):
    """Assert the same merges and the same ids of the text; return the tokenizer and the merges."""
    tokenizer = train_bpe(text, vocab_size)
    steps = list(replay(text, vocab_size))
    merges = [step.pair for step in steps]
    assert merges == [tuple(pair) for pair in json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]]
    assert VOCABULARY + [step.token for step in steps] == tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    tokens = tokenize(text, merges)
    assert np.array_equal(tokenizer.convert_tokens_to_ids(tokens), encode(tokenizer, text))
    assert steps[-1].text_tokens == len(tokens)
    return tokenizer, merges


def test_the_verdict(verdict_text):
    check_against_tokenizers(verdict_text, 1000)


@pytest.mark.slow
def test_tiny_shakespeare(shakespeare_text):
    check_against_tokenizers(shakespeare_text, 1000)


def test_the_sample_until_no_pair_is_left(sample):
    check_against_tokenizers(sample, 1_000_000)


def test_random_unicode_texts(sample, random_texts):
    tokenizer, merges = check_against_tokenizers(sample, 1000)
    texts = random_texts(10_000)
    for text, ids in zip(texts, encode_batch(tokenizer, texts)):
        assert np.array_equal(tokenizer.convert_tokens_to_ids(tokenize(text, merges)), ids)


def test_few_letters_where_most_counts_are_equal():
    """Ties, repeated letters and overlapping pairs, where an order that is only nearly right shows."""
    for seed in range(200):
        generator = random.Random(seed)
        letters = "abc"[: generator.randint(1, 3)]
        lengths = [generator.randint(1, 30) for _ in range(generator.randint(2, 20))]
        text = " ".join("".join(generator.choice(letters) for _ in range(length)) for length in lengths)
        check_against_tokenizers(text, 258 + generator.randint(0, 60))


def test_each_step_tells_what_it_did(sample):
    text, merges = sample[:2000], []
    for step in replay(text, 320):
        cut = tokenize(text, merges)
        merges.append(step.pair)
        assert step.step == len(merges)
        assert step.token == "".join(step.pair)
        assert step.after == join(step.before, step.pair)
        assert len(step.after) < len(step.before)
        assert "".join(step.before) in pretokenize(text)
        assert step.text_tokens == len(tokenize(text, merges)) < len(cut)


def test_the_count_is_how_often_the_pair_occurs():
    text = "slow low lower"  # `lo` and `ow` both occur three times: the smaller ids win
    first, second, third = replay(text, 260)
    assert (first.pair, first.count) == (("l", "o"), 3)
    assert (second.pair, second.count) == (("lo", "w"), 3)
    assert (third.pair, third.count) == (("Ġ", "low"), 2)
    assert [step.text_tokens for step in (first, second, third)] == [11, 8, 6]
    assert [step.work for step in (first, second, third)] == [4 + 4 + 6, 3 + 3 + 5, 2 + 4]


def test_bytes_alone_are_no_merges(sample):
    assert list(replay(sample, 257)) == []
    assert tokenize("é", []) == ["Ã", "©"]
