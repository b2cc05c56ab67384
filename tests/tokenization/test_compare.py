"""One text under several tokenizers, and tokens made readable."""

import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from hf_llm.config import UserError
from hf_llm.data import MissingData
from hf_llm.tokenization import compare as module
from hf_llm.tokenization.compare import compare, load_tokenizers
from hf_llm.tokenization.readable import readable, token_bytes
from hf_llm.tokenization.tokenizer import encode, train_bpe


def test_what_each_makes_of_the_text(tokenizer):
    text = "Não há  nada,\nnada 🙂"
    first, second = compare(text, {"ours": tokenizer, "bytes": train_bpe("", 257)})
    assert (first["tokenizer"], first["vocab_size"]) == ("ours", 400)
    assert [token["id"] for token in first["tokens"]] == encode(tokenizer, text).tolist()
    for encoding in (first, second):
        assert b"".join(bytes.fromhex(token["bytes"]) for token in encoding["tokens"]) == text.encode("utf-8")
        assert (encoding["byte_count"], encoding["word_count"]) == (len(text.encode("utf-8")), 5)
    assert second["bytes_per_token"] == 1
    assert second["tokens_per_word"] == len(text.encode("utf-8")) / 5
    assert first["bytes_per_token"] > 1
    assert [token["text"] for token in second["tokens"]][:5] == ["N", "\\xc3", "\\xa3", "o", "␣"]
    assert second["tokens"][-1]["bytes"] == "82"


def test_json_holds_everything(tokenizer):
    (encoding,) = compare("a b", {"ours": tokenizer})
    record = json.loads(json.dumps(encoding))
    assert record["tokens"][0] == {"id": tokenizer.convert_tokens_to_ids("a"), "text": "a", "bytes": "61"}
    assert record["tokens_per_word"] == record["token_count"] / 2
    assert record["byte_count"] == 3


def test_special_tokens_in_the_text_are_text(tokenizer):
    (encoding,) = compare("<|endoftext|>", {"ours": tokenizer})
    assert 0 not in [token["id"] for token in encoding["tokens"]]


def test_a_tokenizer_that_is_not_byte_level():
    backend = Tokenizer(models.WordLevel({"<unk>": 0, "não": 1}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    words = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    (encoding,) = compare("não há", {"words": words})
    assert [tuple(token.values()) for token in encoding["tokens"]] == [(1, "não", "6e c3 a3 6f"), (0, "há", "68 c3 a1")]
    (encoding,) = compare("  ", {"words": words})
    assert encoding["tokens"] == []
    assert encoding["tokens_per_word"] is encoding["bytes_per_token"] is None


@pytest.mark.parametrize(("text", "sentence"), [("", "no text to compare"), ("a\ud800", "surrogate")])
def test_no_text(tokenizer, text, sentence):
    with pytest.raises(UserError, match=sentence):
        compare(text, {"ours": tokenizer})


def test_gpt2_is_added_where_it_is_found(gpt2_tokenizer_files, tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    tokenizers, notes = load_tokenizers([str(tmp_path)])
    assert list(tokenizers) == [str(tmp_path), "gpt2-tokenizer"]
    assert notes == []
    assert [token["text"] for token in compare("Hello world", tokenizers)[1]["tokens"]] == ["Hello", "␣world"]


def test_without_gpt2_a_note_says_so(tokenizer, tmp_path, monkeypatch):
    tokenizer.save_pretrained(tmp_path)
    load = module.load_tokenizer

    def missing(name):
        if name == "gpt2-tokenizer":
            raise MissingData("gpt2-tokenizer was not found")
        return load(name)

    monkeypatch.setattr(module, "load_tokenizer", missing)
    tokenizers, notes = load_tokenizers([str(tmp_path)])
    assert list(tokenizers) == [str(tmp_path)]
    assert notes == ["without GPT-2's own: gpt2-tokenizer was not found"]
    with pytest.raises(UserError, match="no tokenizer to compare"):
        load_tokenizers([])


def test_every_byte_has_a_shape(tokenizer):
    for byte, token in enumerate(tokenizer.convert_ids_to_tokens(encode(tokenizer, "a\u00ff\U0010ffff b\n"))):
        assert readable(token_bytes(token)).isprintable(), byte
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    assert sorted(token_bytes(character)[0] for character in alphabet) == list(range(256))
    assert readable(b" a\n\t\x00\xc2\xa0") == "␣a⏎⇥\\x00\\xa0"
    assert readable("é🙂".encode()) == "é🙂"
