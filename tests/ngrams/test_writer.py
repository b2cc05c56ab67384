"""What n-grams write has the probabilities that they give."""

import doctest

import numpy as np
import pytest

from hf_llm.data import read_text
from hf_llm.ngrams import writer
from hf_llm.ngrams.byte_ngrams import ByteNGrams
from hf_llm.ngrams.choice import counted
from hf_llm.ngrams.writer import write


@pytest.mark.parametrize(("order", "discount"), [(1, None), (3, None), (3, 0.9)])
def test_each_byte_follows_as_often_as_its_probability_says(order, discount):
    model = counted(b"abracadabra, abracadabra; cadabra abra", order, discount)
    texts = np.array([list(text) for text in write(model, texts=20_000, length=4, seed=0)])  # (texts, 4)
    for before in (b"", b"a", b"ab"):
        rows = texts[(texts[:, : len(before)] == list(before)).all(axis=1), len(before)]
        expected, share = model.probabilities(before), np.bincount(rows, minlength=256) / len(rows)
        error = np.sqrt(expected * (1 - expected) / len(rows))
        assert len(rows) > 100
        assert (np.abs(share - expected) <= 5 * error + 2 / len(rows)).all()


def test_its_own_text_costs_as_much_as_the_model_expects():
    train = read_text("sample").text.encode("utf-8")
    model = ByteNGrams.fit(train, 6)
    texts = write(model, texts=8, length=4000, seed=1)
    assert [len(text) for text in texts] == [4000] * 8
    assert len({text[:40] for text in texts}) == 8
    bits = np.mean([model.bits_per_byte(text) for text in texts])
    entropy = np.mean([
        -(p * np.log2(p)).sum() for text in texts for place in range(0, 4000, 50)
        for p in [model.probabilities(text[max(0, place - 8) : place])]
    ])  # fmt: skip
    assert bits == pytest.approx(entropy, abs=0.12)


def test_a_seed_repeats_a_text_and_another_changes_it():
    model = ByteNGrams.fit(read_text("sample").text.encode("utf-8")[:3000], 4)
    assert write(model, 2, 300, seed=7) == write(model, 2, 300, seed=7) != write(model, 2, 300, seed=8)


def test_the_example_in_the_docstring():
    assert doctest.testmod(writer).failed == 0
