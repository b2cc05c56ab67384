"""BPE-dropout gives other tokens for the same text."""

import numpy as np

from hf_llm.data import read_text
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.tokenizer import encode_document, train_bpe

TEXT = read_text("sample").text[:3000]
TOKENIZER = train_bpe(TEXT, 400)


def test_every_encoding_is_the_text():
    for ids in encodings_with_dropout(TOKENIZER, TEXT, dropout=0.3, copies=3, seed=0):
        assert ids[0] == TOKENIZER.bos_token_id
        assert TOKENIZER.decode(ids[1:]) == TEXT


def test_plain_and_dropped_in_turn():
    plain = encode_document(TOKENIZER, TEXT)
    encodings = encodings_with_dropout(TOKENIZER, TEXT, dropout=0.3, copies=2, seed=0)
    assert np.array_equal(encodings[0], plain)
    assert np.array_equal(encodings[2], plain)
    assert len(encodings[1]) > len(plain)
    assert not np.array_equal(encodings[1], encodings[3])


def test_without_dropout_it_is_the_tokenizer():
    for ids in encodings_with_dropout(TOKENIZER, TEXT, dropout=0.0, copies=1, seed=0):
        assert np.array_equal(ids, encode_document(TOKENIZER, TEXT))


def test_the_seed_decides():
    first, again, other = (encodings_with_dropout(TOKENIZER, TEXT, 0.3, 1, seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
