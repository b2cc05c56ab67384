"""The baselines without a neural net: normalised, causal, and what a slow count by hand gives."""

import doctest
from collections import Counter

import numpy as np
import pytest

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.ngrams import byte_ngrams
from hf_llm.ngrams.byte_ngrams import ByteNGrams

ORDERS = pytest.mark.parametrize("order", [1, 2, 3, 6, 8])
LEARN = pytest.mark.parametrize("learn", [False, True])


@pytest.fixture(scope="module")
def sample() -> tuple[bytes, bytes]:
    data = read_text("sample").text.encode("utf-8")
    return data[:6000], data[6000:6400]


def counted_by_hand(train: bytes, before: bytes, discounts: list[float], last: int) -> float:
    """Return the probability of the byte `last` after `before`, whose n-grams count beside those of `train`."""
    order, p = len(discounts), 1 / 256

    def grams(length: int) -> Counter:
        return Counter(text[i : i + length] for text in (train, before) for i in range(len(text) - length + 1))

    for length in range(1, min(order, len(before) + 1) + 1):
        counts = grams(order) if length == order else Counter(longer[1:] for longer in grams(length + 1))
        context = before[len(before) - length + 1 :]
        total = sum(count for gram, count in counts.items() if gram[:-1] == context)
        distinct = sum(gram[:-1] == context for gram in counts)
        if total:
            discount = discounts[length - 1]
            p = (max(counts[context + bytes([last])] - discount, 0) + discount * distinct * p) / total
    return p


@ORDERS
def test_the_probabilities_of_the_256_bytes_sum_to_one(sample, order):
    train, test = sample
    model = ByteNGrams.fit(train, order)
    for context in (b"", b"a", train[:20], test[:20], b"\xff\x00\xff\x00\xff\x00\xff\x00\xff", train[-order:]):
        p = model.probabilities(context)
        assert p.shape == (256,)
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert p.min() > 0


@ORDERS
def test_the_score_is_that_of_the_probabilities(sample, order):
    train, test = sample
    model = ByteNGrams.fit(train, order)
    expected = [-np.log2(model.probabilities(test[:i])[test[i]]) for i in range(60)]
    np.testing.assert_allclose(model.bits(test)[:60], expected, rtol=1e-12)
    assert model.bits_per_byte(test) == pytest.approx(model.bits(test).mean())


def test_two_bytes_counted_by_hand():
    model = ByteNGrams.fit(b"aab", order=2)  # aa and ab, each once: D = (2 + 1) / (2 + 0 + 2)
    a, b = ord("a"), ord("b")
    alone = 0.25 / 2 + 0.75 / 256  # a comes after one byte, b after one
    np.testing.assert_allclose(model.probabilities(b"")[[a, b, 0]], [alone, alone, 0.75 / 256])
    np.testing.assert_allclose(model.probabilities(b"a")[[a, b, 0]], [0.125 + 0.75 * alone] * 2 + [0.75**2 / 256])
    np.testing.assert_allclose(model.probabilities(b"b"), model.probabilities(b""))  # nothing ever followed b


@LEARN
@pytest.mark.parametrize("order", [1, 2, 4])
def test_it_gives_what_a_slow_count_gives(order, learn):
    train, test = b"abracadabra, abracadabra", b"cadabra abra abraxas cadabra"
    model = ByteNGrams.fit(train, order)
    discounts = [level.discount for level in model.levels]
    expected = [
        # without learning, what came before is a context and is not counted: it is cut to one n-gram's context
        -np.log2(counted_by_hand(train, test[:i], discounts, test[i]) if learn
                 else model.probabilities(test[:i])[test[i]])
        for i in range(len(test))
    ]  # fmt: skip
    np.testing.assert_allclose(model.bits(test, learn), expected, rtol=1e-12)
    first = counted_by_hand(train, b"", discounts, test[0])
    assert model.bits(test, learn)[0] == pytest.approx(-np.log2(first))


@LEARN
def test_no_byte_is_scored_by_what_follows_or_by_itself(sample, learn):
    train, test = sample
    model, other = ByteNGrams.fit(train, 5), test[:200] + bytes(255 - byte for byte in test[200:])
    np.testing.assert_array_equal(model.bits(test, learn)[:200], model.bits(other, learn)[:200])
    assert model.bits(other, learn)[200:].mean() > model.bits(test, learn)[200:].mean()
    np.testing.assert_array_equal(model.bits(test[:1], learn), model.bits(test, learn)[:1])


def test_scoring_leaves_the_model_as_it_is(sample):
    train, test = sample
    model = ByteNGrams.fit(train, 4)
    before = model.bits_per_byte(test)
    assert model.bits_per_byte(test, learn=True) < before
    assert model.bits_per_byte(test) == before


def test_a_context_helps_and_learning_pays_for_a_repetition(sample):
    train, test = sample
    one, three = (ByteNGrams.fit(train, order) for order in (1, 3))
    assert three.bits_per_byte(test) < one.bits_per_byte(test) - 0.5
    strange = bytes(np.random.default_rng(0).integers(128, 256, 300, dtype=np.uint8))
    first, again = three.bits(strange * 2, learn=True).reshape(2, 300)
    assert again.mean() < 1 < 7 < first.mean()


@LEARN
def test_next_to_nothing_to_count_and_to_score(learn):
    np.testing.assert_allclose(ByteNGrams.fit(b"", 3).bits(b"ab"), 8)
    assert ByteNGrams.fit(b"ab", 3).bits(b"", learn).shape == (0,)
    assert np.isfinite(ByteNGrams.fit(b"a", 8).bits(b"aaaa", learn)).all()
    assert np.isfinite(ByteNGrams.fit(b"a" * 100, 3).bits(b"b", learn)).all()


@pytest.mark.parametrize("order", [0, 9])
def test_an_impossible_order_gets_a_sentence(order):
    with pytest.raises(UserError, match=f"between 1 and 8, not {order}"):
        ByteNGrams.fit(b"text", order)


def test_the_verdict(verdict_text):
    """The figures that another program had for a byte 5-gram on the same split: 2.333, and 2.292 when it learns."""
    data = verdict_text.encode("utf-8")
    train, test = data[:-2048], data[-2048:]
    model = ByteNGrams.fit(train, 5)
    assert model.bits_per_byte(test) == pytest.approx(2.333, abs=0.05)
    assert model.bits_per_byte(test, learn=True) == pytest.approx(2.292, abs=0.05)


def test_the_example_in_the_docstring():
    assert doctest.testmod(byte_ngrams).failed == 0
