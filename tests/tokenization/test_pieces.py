"""A long text is cut only where its encoding is cut anyway."""

import numpy as np
import pytest
from tokenizers import AddedToken, normalizers, pre_tokenizers

from hf_llm.tokenization import pieces as module
from hf_llm.tokenization.pieces import batches, pieces, splits_like_gpt2
from hf_llm.tokenization.tokenizer import encode, train_bpe


@pytest.mark.parametrize("size", [1, 50, 1000])
def test_pieces_are_the_text_and_their_ids_its_ids(tokenizer, sample, size):
    text = sample + "\n\n \n  a\n\r\n b \n\u2028\nc" * 50
    cut = list(pieces([text], size))
    assert len(cut) > 5
    assert "".join(cut) == text
    ids = np.concatenate([encode(tokenizer, piece) for piece in cut])
    whole = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert ids.tolist() == whole


def test_after_any_visible_character_white_space_begins_a_word():
    """The fact that the cuts rest on, for every character of the basic plane, beside a line end and beside a space."""
    characters = [chr(i) for i in range(0x10000) if not 0xD800 <= i < 0xE000 and not chr(i).isspace()]
    for space in "\n ":
        text = "".join(character + space for character in characters)
        ends = {end for _, (_, end) in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)}
        assert [c for i, c in enumerate(characters) if 2 * i + 1 not in ends] == []


def test_there_is_no_cut_but_behind_a_visible_character():
    assert list(pieces(["ab" * 1000], 10)) == ["ab" * 1000]
    assert list(pieces(["\n \n\t \n" * 1000], 10)) == ["\n \n\t \n" * 1000]
    assert {piece[0] + piece[-1] for piece in list(pieces(["a \n \n" * 1000], 10))[1:-1]} == {" a"}
    assert list(pieces([""], 10)) == list(pieces([], 10)) == [""]


@pytest.mark.parametrize("length", [1, 3, 40, 5000])
def test_where_a_text_is_cut_does_not_depend_on_the_blocks_that_it_comes_in(sample, length):
    blocks = [sample[i : i + length] for i in range(0, len(sample), length)]
    assert list(pieces(blocks, 50)) == list(pieces([sample], 50))
    assert "".join(pieces(blocks, 50)) == sample


def test_encode_cuts_only_for_tokenizers_that_split_like_gpt2(tokenizer, sample, monkeypatch):
    assert splits_like_gpt2(tokenizer.backend_tokenizer)
    prefixed = type(tokenizer.backend_tokenizer).from_str(tokenizer.backend_tokenizer.to_str())
    prefixed.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    assert not splits_like_gpt2(prefixed)
    prefixed.pre_tokenizer = tokenizer.backend_tokenizer.pre_tokenizer
    assert splits_like_gpt2(prefixed)
    prefixed.normalizer = normalizers.Lowercase()
    assert not splits_like_gpt2(prefixed)


@pytest.mark.parametrize(
    "habits", [{"content": "New York"}, {"content": "a", "rstrip": True}, {"content": "a", "lstrip": True}]
)
def test_encode_does_not_cut_where_an_added_word_reaches_over_white_space(sample, habits):
    tokenizer = train_bpe(sample, 300)
    tokenizer.add_tokens(["word"])
    assert splits_like_gpt2(tokenizer.backend_tokenizer)
    tokenizer.add_tokens([AddedToken(**habits)])
    assert not splits_like_gpt2(tokenizer.backend_tokenizer)


def test_batches_keep_the_order_and_the_size():
    texts = ["aa", "b", "cccccc", "d", "e"]
    assert list(batches(texts, 3)) == [["aa", "b"], ["cccccc"], ["d", "e"]]
    assert list(batches([], 3)) == []
    assert module.PIECE < module.BATCH
