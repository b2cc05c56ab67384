"""The tokenizer page's functions: what it shows is what the library computes, in the reader's language."""

import base64
import json
import re

import pytest

from hf_llm.app.pages import tokenizer as page
from hf_llm.config import UserError
from hf_llm.tokenization.bpe import pretokenize, replay
from hf_llm.tokenization.tokenizer import encode


def test_the_ids_shown_are_the_tokenizers(app):
    shown = page.show_encodings(app, "O gato dormia.", ["story"], "pt-BR")
    ids = [int(id) for id in re.findall(r"</bdi><small>(\d+)</small>", shown)]
    assert ids == encode(app.library.language_model("story").tokenizer, "O gato dormia.").tolist()


def test_text_comes_back_as_text(app):
    shown = page.show_encodings(app, "<img src=x onerror=alert(1)> ${1}", ["story"], "en")
    assert "<img" not in shown


@pytest.mark.parametrize(("lang", "sentence"), [("pt-BR", "Escreva"), ("en", "Write")])
def test_an_empty_text_meets_a_sentence(app, lang, sentence):
    assert sentence in page.show_encodings(app, "", ["story"], lang)


def test_a_lone_surrogate_and_a_long_text_are_refused(app):
    with pytest.raises(UserError, match="substituto"):
        page.show_encodings(app, "a\ud800", ["story"], "pt-BR")
    with pytest.raises(UserError, match="caracteres"):
        page.show_encodings(app, "a" * (app.config.max_characters + 1), ["story"], "pt-BR")


def test_the_merges_walk_forward_and_back(app):
    merges, slider = page.train_merges(app, "own", "low lower lowest", 260, "en")
    assert [merge.pair for merge in merges] == [merge.pair for merge in replay("low lower lowest", 260)]
    assert slider["maximum"] == len(merges)
    assert "“l” + “o”" in page.show_merge(merges, 1, "en")
    assert "“lo” + “w”" in page.show_merge(merges, 2, "en")
    assert "every byte is a token" in page.show_merge(merges, 0, "en")


def test_another_text_is_encoded_with_the_merges_so_far(app):
    merges, _ = page.train_merges(app, "own", "low lower lowest", 260, "en")
    assert f"{len(''.join(pretokenize('lowest')))} tokens" in page.show_applied(merges, 0, "lowest", "en")
    assert "4 tokens" in page.show_applied(merges, 2, "lowest", "en")


def test_the_endpoints_give_the_librarys_values(app):
    endpoints = page.endpoints(app)
    (encoding,) = endpoints["tokenize"]("O gato", ["story"])
    assert encoding["token_count"] == len(encode(app.library.language_model("story").tokenizer, "O gato"))
    assert endpoints["train_bpe"]("low lower lowest", 259)[0]["pair"] == ("l", "o")
    with pytest.raises(UserError, match="vocab_size"):
        endpoints["train_bpe"]("low", 100)
    with pytest.raises(UserError, match="no model"):
        endpoints["tokenize"]("low", ["../../etc"])


@pytest.mark.parametrize("name", page.PRESETS)
def test_an_example_sets_the_text_and_says_why(name):
    words, why = page.choose_preset(name, "en")
    assert words == page.PRESETS[name]
    assert len(why) > 60


def test_every_token_is_in_the_data_behind(app):
    shown = page.show_encodings(app, "O gato", ["story"], "en")
    (saved,) = re.findall(r'download="tokens-story.json" href="data:application/json;base64,([^"]+)"', shown)
    records = json.loads(base64.b64decode(saved))
    assert [record["id"] for record in records] == encode(
        app.library.language_model("story").tokenizer, "O gato"
    ).tolist()
