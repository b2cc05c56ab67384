"""Pieces: whole characters, nothing lost, and no part of a stop text."""

import random

import pytest

from hf_llm.generation.detokenizer import Detokenizer, cut_at_stop
from hf_llm.tokenization.tokenizer import encode

TEXT = "Ação e reação: naïve 漢字 🤗🏽 é\u0301 � the end"


def pieces_of(tokenizer, ids):
    detokenizer = Detokenizer(tokenizer, [0])
    return [*(detokenizer.push(token) for token in ids), detokenizer.flush()]


def test_pieces_hold_whole_characters(byte_tokenizer):
    pieces = pieces_of(byte_tokenizer, encode(byte_tokenizer, TEXT).tolist())
    assert "".join(pieces) == TEXT
    assert max(map(len, pieces)) <= 2  # a real U+FFFD waits for the character behind it
    assert pieces.count("") == len(TEXT.encode()) + 1 - sum(piece != "" for piece in pieces)
    assert pieces[:6] == ["A", "", "ç", "", "ã", "o"]


def test_pieces_of_merged_tokens(tokenizer):
    assert "".join(pieces_of(tokenizer, encode(tokenizer, TEXT).tolist())) == TEXT


@pytest.mark.parametrize("seed", range(20))
def test_bytes_that_are_no_text(byte_tokenizer, seed):
    ids = random.Random(seed).choices(range(1, 257), k=200)
    assert "".join(pieces_of(byte_tokenizer, ids)) == byte_tokenizer.decode(ids)


def test_a_cut_character_at_the_end_is_not_lost(byte_tokenizer):
    ids = encode(byte_tokenizer, "aé").tolist()[:-1]
    assert pieces_of(byte_tokenizer, ids) == ["a", "", "\ufffd"]


def test_special_tokens_are_no_text(byte_tokenizer):
    ids = encode(byte_tokenizer, "ab").tolist()
    assert "".join(pieces_of(byte_tokenizer, [ids[0], 0, ids[1]])) == "ab"


@pytest.mark.parametrize(
    ("text", "stops", "shown"),
    [
        ("one. two. three", [". t"], "one"),
        ("aaab", ["aab"], "a"),
        ("no stop here", ["stop!", "hero"], "no stop here"),
        ("abcd", ["abcd", "bc"], "a"),
        ("abc", ["bc", "abc"], ""),
        ("ENDE", ["END"], ""),
        ("the EN", ["END"], "the EN"),
        ("anything", [], "anything"),
    ],
)
def test_stop_texts_do_not_depend_on_where_tokens_end(text, stops, shown):
    for seed in range(30):
        chance, out, held, rest, stopped = random.Random(seed), "", "", text, False
        while rest and not stopped:
            size = chance.randint(1, 4)
            piece, held, stopped = cut_at_stop(held + rest[:size], stops)
            out, rest = out + piece, rest[size:]
        assert out + held == shown
