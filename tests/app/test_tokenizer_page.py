"""The tokenizer page's functions: what it shows is what the library computes, in the reader's language."""

import base64
import json
import re

import gradio as gr
import pytest

from hf_llm.app.page import guarded
from hf_llm.app.pages.tokenizer import answers as page
from hf_llm.config import UserError
from hf_llm.tokenization.bpe import pretokenize, replay
from hf_llm.tokenization.tokenizer import encode


def show(app, text: str, lang: str = "en") -> str:
    return page.show_encodings(app, text=text, tokenizers=["story"], lang=lang)


def trained(app) -> tuple:
    return page.train(app, corpus="own", own="low lower lowest", vocab_size=260, lang="en")


def merge(app, merges, step: int) -> str:
    return page.show_merge(app, merges=merges, step=step, lang="en")


def test_the_ids_shown_are_the_tokenizers(app):
    shown = show(app, "O gato dormia.", "pt-BR")
    ids = [int(id) for id in re.findall(r"</bdi><small>(\d+)</small>", shown)]
    assert ids == encode(app.library.language_model("story").tokenizer, "O gato dormia.").tolist()


def test_text_comes_back_as_text(app):
    shown = show(app, "<img src=x onerror=alert(1)> ${1}")
    assert "<img" not in shown


@pytest.mark.parametrize(("lang", "said"), [("pt-BR", "Escreva"), ("en", "Write")])
def test_an_empty_text_is_refused(app, lang, said):
    assert said in show(app, "", lang)


def test_a_lone_surrogate_and_a_long_text_are_refused(app):
    for text, said in (("a\ud800", "substituto"), ("a" * (app.config.max_characters + 1), "caracteres")):
        with pytest.raises(UserError) as refused:
            show(app, text, "pt-BR")
        assert said in refused.value.in_language("pt-BR")


def test_the_merges_walk_forward_and_back(app):
    merges, slider = trained(app)
    assert [merge["pair"] for merge in merges] == [merge.pair for merge in replay("low lower lowest", 260)]
    assert slider["maximum"] == len(merges)
    assert "“l” + “o”" in merge(app, merges, 1)
    assert "“lo” + “w”" in merge(app, merges, 2)
    assert "every byte is a token" in merge(app, merges, 0)
    assert "Click Train" in merge(app, [], 0)
    steps = [step(app, merges=merges, step=2, lang="en") for step in (page.step_back, page.step_forward)]
    assert steps == [1, 3]
    assert page.step_back(app, merges=merges, step=0, lang="en") == 0
    assert page.step_forward(app, merges=merges, step=len(merges), lang="en") == len(merges)


def test_another_text_is_encoded_with_the_merges_so_far(app):
    merges, _ = trained(app)
    for step, count in ((0, len("".join(pretokenize("lowest")))), (2, 4)):
        assert f"{count} tokens" in page.show_applied(app, merges=merges, step=step, other="lowest", lang="en")


def test_the_endpoints_give_the_librarys_values(app):
    endpoints = {name: guarded(endpoint, app) for name, endpoint in page.ENDPOINTS.items()}
    (encoding,) = endpoints["tokenize"]("O gato", ["story"])
    assert encoding["token_count"] == len(encode(app.library.language_model("story").tokenizer, "O gato"))
    assert endpoints["train_bpe"]("low lower lowest", 259)[0]["pair"] == ("l", "o")
    with pytest.raises(gr.Error, match="vocab_size"):
        endpoints["train_bpe"]("low", 100)
    with pytest.raises(gr.Error, match="no model"):
        endpoints["tokenize"]("low", ["../../etc"])


@pytest.mark.parametrize("name", page.PRESETS)
def test_an_example_sets_the_text_and_says_why(app, name):
    text, why = page.choose_preset(app, preset=name, lang="en")
    assert text == page.PRESETS[name]
    assert len(why) > 60


def test_every_token_is_in_the_data_behind(app):
    shown = show(app, "O gato")
    (saved,) = re.findall(r'download="tokens-story.json" href="data:application/json;base64,([^"]+)"', shown)
    records = json.loads(base64.b64decode(saved))
    assert [record["id"] for record in records] == encode(
        app.library.language_model("story").tokenizer, "O gato"
    ).tolist()
