"""The tokenizer page's functions: what it shows is what the library computes, in the reader's language."""

import base64
import json
import re

import gradio as gr
import pytest

from hf_llm.app.guarded import guarded
from hf_llm.app.pages.tokenizer import answers as page
from hf_llm.config import UserError
from hf_llm.tokenization.bpe import pretokenize, replay, tokenize
from hf_llm.tokenization.tokenizer import encode


def show(app, text: str, lang: str = "en") -> str:
    return page.show_encodings(app, text=text, tokenizers=["story"], lang=lang)


def trained(app, text: str = "low lower lowest", vocab_size: int = 260) -> tuple:
    return page.train(app, corpus="own", own=text, vocab_size=vocab_size, lang="en")


def merge(app, merges, step: int, learned: str = "low lower lowest") -> str:
    return page.show_merge(app, merges=merges, learned=learned, step=step, lang="en")


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
    merges, learned, slider = trained(app)
    assert learned == "low lower lowest"
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


def passage(shown: str) -> list[list[str]]:
    """Return the pieces that are drawn of a text; a token that this step makes has two."""
    drawn = re.search(r'<p class="merging" data-odd="\d">(.*?)</p>', shown)[1]
    return [
        re.findall(r"<(?:b|span)>(.*?)</(?:b|span)>", one)
        for one in re.findall(r"<mark>.*?</mark>|<span>.*?</span>", drawn)
    ]


def test_a_merge_is_shown_in_the_text_itself(app):
    merges, learned, _ = trained(app)
    for step in range(1, len(merges) + 1):
        expected, pair = [], list(merges[step - 1]["pair"])
        after = tokenize(learned, [tuple(one["pair"]) for one in merges[:step]])
        for token in after:
            shown = token.replace("Ġ", "␣")
            expected.append([part.replace("Ġ", "␣") for part in pair] if token == "".join(pair) else [shown])
        assert passage(merge(app, merges, step)) == expected


def test_a_merge_far_on_in_the_text_is_shown_there(app):
    text = "x " * 200 + "zuzu " * 3
    merges, learned, _ = trained(app, text, 262)
    late = next(i for i, one in enumerate(merges, 1) if one["pair"] == ("z", "u"))
    assert ["z", "u"] in passage(merge(app, merges, late, learned))


def test_a_word_too_long_to_be_shown_does_not_hide_a_merge(app):
    text = "ab" * 2000 + " <b> ab"
    merges, learned, _ = trained(app, text, 262)
    for step in range(1, len(merges) + 1):
        shown = merge(app, merges, step, learned)
        assert any(len(one) == 2 for one in passage(shown)), step
        assert len(passage(shown)) < 500
    assert "<b> " not in shown


def test_the_box_for_a_text_of_ones_own_is_there_for_it_alone(app):
    assert [page.choose_corpus(app, corpus=name, lang="en")["visible"] for name in page.CORPORA] == [False, False, True]


def test_another_text_is_encoded_with_the_merges_so_far(app):
    merges, *_ = trained(app)
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
