"""The memorisation meter beside the definition, spelled out."""

import random

import pytest

from hf_llm.evaluation.memorisation import longest_verbatim_span, memorisation, ngram_overlap, words


def every_span(generated: str, training: str) -> int:
    spans = (generated[i:j] for i in range(len(generated)) for j in range(i, len(generated) + 1))
    return max((len(span) for span in spans if span in training), default=0)


@pytest.mark.parametrize("seed", range(50))
def test_longest_span(seed):
    chance = random.Random(seed)
    generated = "".join(chance.choices("abç", k=chance.randint(0, 30)))
    training = "".join(chance.choices("abç", k=chance.randint(0, 60)))
    span = longest_verbatim_span(generated, training)
    assert span in generated
    assert span in training
    assert len(span) == every_span(generated, training)


def test_a_whole_copy():
    assert longest_verbatim_span("cheap genius", "rather a cheap genius--though") == "cheap genius"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ngram_overlap(n):
    chance = random.Random(n)
    generated, training = chance.choices(range(6), k=40), chance.choices(range(6), k=30)
    known = [tuple(training[i : i + n]) for i in range(len(training) - n + 1)]
    grams = [tuple(generated[i : i + n]) for i in range(len(generated) - n + 1)]
    assert ngram_overlap(generated, training, n) == sum(gram in known for gram in grams) / len(grams)


def test_a_text_of_fewer_words_has_no_share():
    assert ngram_overlap(["one"], ["one", "two"], 2) is None
    assert memorisation("", "anything")["ngram_overlap"] == {"2": None, "4": None, "8": None}


def test_words():
    assert words("“Água fria,” she said -- twice!") == ["água", "fria", "she", "said", "twice"]


def test_both_measures():
    result = memorisation("The cat sat. The dog ran!", "the CAT sat, the bird ran", sizes=(2,))
    assert result["longest_verbatim_span"] == " sat"
    assert result["longest_verbatim_characters"] == 4
    assert result["longest_verbatim_words"] == 1
    assert result["ngram_overlap"] == {"2": 3 / 5}
