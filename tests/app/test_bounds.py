"""What a public function may cost, whatever it is sent: a bounded answer in bounded time, or one sentence."""

import importlib
import json

import gradio as gr
import numpy as np
import pytest
from starlette.requests import Request

from hf_llm.app import endpoint as endpoints
from hf_llm.app.endpoint import ANSWER, endpoint
from hf_llm.app.guarded import guarded
from hf_llm.app.pages.tokenizer import answers as tokenizer
from hf_llm.app.server.build import PAGES
from hf_llm.data import read_text
from hf_llm.tokenization.bpe import replay

SAMPLE = read_text("sample").text
LESSON = "O gato que estava no quarto dormia; a gata que estava na sala também. " * 2000
CJK = "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(2000))
RANDOM = np.random.default_rng(0)
HEAVY = {
    "2,000 CJK letters": CJK,
    "199,000 CJK letters": CJK * 99 + CJK[:1000],
    "one letter": "a" * 199_000,
    "words of random letters": "".join(chr(each) for each in RANDOM.integers(97, 123, 199_000)),
    "random letters": "".join(" " if each == 123 else chr(each) for each in RANDOM.integers(97, 124, 199_000)),
}
ANSWERS = [importlib.import_module(f"hf_llm.app.pages.{page}.answers") for page in PAGES]
PUBLIC = {name: function for each in ANSWERS for name, function in getattr(each, "ENDPOINTS", {}).items()}


def answer(app, name: str, *given):
    """Return what a public function answers: the last part of what streams, the sentence of a refusal."""
    try:
        found = endpoint(PUBLIC[name], app)(*given)
        return [*found][-1] if hasattr(found, "__next__") else found
    except gr.Error as error:
        return error.message


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_a_training_costs_and_answers_little_whatever_the_text(app, monkeypatch, text):
    costs = []

    def counted(*given):
        for merge in replay(*given):
            costs.append(merge.work)
            yield merge

    monkeypatch.setattr("hf_llm.tokenization.bpe.replay", counted)
    found = answer(app, "train_bpe", text, 1000)
    assert len(json.dumps(found)) <= ANSWER
    assert sum(costs[:-1]) <= tokenizer.WORK
    if sum(costs) > tokenizer.WORK:
        assert "shorter text" in found


@pytest.mark.parametrize("text", [SAMPLE, LESSON], ids=["sample", "lesson"])
def test_what_a_lesson_trains_on_is_far_from_the_bound(app, text):
    merges = answer(app, "train_bpe", text, tokenizer.LARGEST)
    assert [merge["pair"] for merge in merges] == [one.pair for one in replay(text, tokenizer.LARGEST)]
    assert sum(merge["work"] for merge in merges) < tokenizer.WORK / 5


def test_of_a_long_word_the_place_of_the_merge_is_shown(app):
    for merge in answer(app, "train_bpe", CJK, 270):
        assert len(merge["before"]) <= tokenizer.WORD + 1
        assert merge["token"] in merge["after"]
        assert any(pair == merge["pair"] for pair in zip(merge["before"], merge["before"][1:]))


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("train_bpe", (7,), "text must be of type str"),
        ("train_bpe", ("a a", "many"), "vocab_size must be of type int"),
        ("train_bpe", ("a a", 300.5), "vocab_size must be of type int"),
        ("train_bpe", ("a a", float("inf")), "vocab_size must be of type int"),
        ("train_bpe", ("a a", 256), "goes from 257"),
        ("tokenize", (["a"],), "text must be of type str"),
        ("tokenize", ("a", "story"), "tokenizers must be of type"),
        ("tokenize", ("a", [1]), "tokenizers must be of type"),
        ("tokenize", ("a", ["story"] * 5), "Up to 4 tokenizers"),
        ("tokenize", ("猫" * 9000, ["story"]), "This text makes"),
        ("generate", ("a", "story", None), "max_new_tokens must be of type int"),
        ("generate", ("a", "story", 1, True, float("nan")), "temperature must be of type float"),
        ("generate", ("a", "story", 1, True, 1.0, -1), "top_k"),
        ("generate", ("a", "story", 1, True, 1.0, 0, 1.0, 1.0, 10**30), "seed"),
        ("next_token", ("a", "story", -3), "go from 1 to 5,000"),
        ("next_token", ("a", "story", 5001), "go from 1 to 5,000"),
        ("next_token", ("a", {"a": 1}), "model must be of type"),
        ("inspect", ("a", "story", 99), "layer"),
        ("inspect", ("a", "story", 0, 0, 10**40), "token"),
        ("logit_lens", ("a", "story", -1), "between 1 and 10"),
        ("logit_lens", (None,), "text must be of type str"),
        ("classify_digit", ([[0, 1]],), "image must be of type str"),
        ("discuss", (None,), "name must be of type str"),
    ],
)
def test_a_wrong_type_or_number_gets_one_sentence(app, name, given, said):
    found = answer(app, name, *given)
    assert isinstance(found, str)
    assert said in found
    assert "\n" not in found
    assert len(found) < 400


def test_a_whole_number_is_one_however_json_wrote_it(app):
    assert answer(app, "train_bpe", "low lower", 258.0) == answer(app, "train_bpe", "low lower", 258)


def test_next_tokens_are_as_many_as_were_asked_for(app):
    assert [len(answer(app, "next_token", "a", "story", most)) for most in (1, 3, 0)] == [1, 3, 300]


def test_an_answer_that_is_too_long_becomes_a_sentence(app, monkeypatch):
    monkeypatch.setattr(endpoints, "ANSWER", 1000)
    assert "MB" in answer(app, "inspect", "O gato", "story")


def long(app, text: str) -> str:
    raise ZeroDivisionError("secret")


@pytest.mark.parametrize(
    ("asks", "said"), [("pt-BR,pt;q=0.9", "Algo falhou"), ("en-US", "Something failed"), (None, "Something failed")]
)
def test_what_fails_unexpectedly_says_so_in_the_readers_language(app, monkeypatch, caplog, asks, said):
    headers = [(b"accept-language", asks.encode())] if asks else []
    request = gr.Request(Request({"type": "http", "headers": headers}))
    monkeypatch.setattr("hf_llm.app.guarded.LocalContext.request", Asked(request))
    with pytest.raises(gr.Error, match=said) as refused:
        guarded(long, app)("a")
    assert "secret" not in refused.value.message
    assert "secret" in caplog.text  # on the server


class Asked:
    """A context variable that is set."""

    def __init__(self, value):
        self.value = value

    def get(self, default=None):
        return self.value


def test_the_other_text_of_a_training_is_bounded(app):
    merges = answer(app, "train_bpe", CJK, 285)  # a few less than are refused
    shown = tokenizer.show_applied(app, merges=merges, step=len(merges), other=CJK[: tokenizer.APPLIED], lang="en")
    assert "tokens" in shown
    with pytest.raises(ValueError, match="the most allowed here is 2,000"):
        tokenizer.show_applied(app, merges=merges, step=1, other="a" * 2001, lang="en")
