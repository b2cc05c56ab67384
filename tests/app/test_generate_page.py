"""The generate page's functions: streams, seeds, limits, and numbers that are transformers' own."""

import math
import re
import time
from itertools import pairwise
from types import SimpleNamespace

import gradio as gr
import pytest
import torch
from gradio_client import Client

from hf_llm.app.guarded import guarded
from hf_llm.app.pages.generate import answers, views
from hf_llm.config import UserError
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.generation.sampling import Sampler
from hf_llm.tokenization.readable import token_labels
from hf_llm.tokenization.tokenizer import encode_document

TEXT = "O gato dormia."
PLAIN = {"greedy": False, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 0}
ONE = {"model": "story", "other": "story", "compare": False}


@pytest.fixture(scope="session")
def story(app):
    return app.library.language_model("story")


def softmax(story, text):
    ids = encode_document(story.tokenizer, text).tolist()
    with torch.no_grad():
        return story.model(torch.tensor([ids])).logits[0, -1].softmax(-1)


def write(app, **changes):
    return answers.write(app, **{**ONE, **PLAIN, "prompt": TEXT, "max_new_tokens": 8, "lang": "en", **changes})


def next_token(app, text=TEXT, lang="en", model="story", **changes) -> str:
    return answers.show_next_token(app, model, text, answers.settings(**{**PLAIN, **changes}), lang)


def surprise(app, text=TEXT, lang="en", model="story") -> str:
    return answers.show_surprise(app, model, text, lang)


def expected(app, choice: str) -> tuple[str, str]:
    return answers.show_expected(app, choice=choice, model="story", scored=TEXT, lang="en")


@pytest.fixture
def endpoints(app) -> dict:
    return {name: guarded(endpoint, app) for name, endpoint in answers.ENDPOINTS.items()}


def test_it_writes_what_the_library_generates(app, story):
    *_, (left, right, status, called, written) = write(app)
    settings = GenerationSettings(max_new_tokens=8, temperature=1.0)
    assert written == TEXT + generate(story.model, story.tokenizer, TEXT, settings).text
    assert (right, "TextStream" in called, "Done" in status) == ("", True, True)
    assert "8 tokens" in left


def test_whole_numbers_are_settings_too():
    settings = answers.settings(False, 2, 0, 1, 3, 0, 8)  # a slider at 2.0 sends 2, and transformers wants 2.0
    assert all(
        isinstance(value, float) for value in (settings.temperature, settings.top_p, settings.repetition_penalty)
    )
    assert Sampler(settings, torch.device("cpu"))


def test_one_model_or_two(app):
    for show, controls in (
        (answers.show_next_tokens, {**PLAIN, "prompt": TEXT}), (answers.show_surprises, {"scored": TEXT}),
    ):  # fmt: skip
        left, right, call, *cleared = show(app, **ONE, **controls, lang="en")
        assert (bool(left), right, cleared) == (True, "", ["", ""])
        assert "story" in call
        left, right, *_ = show(app, **{**ONE, "compare": True}, **controls, lang="en")
        assert left == right != ""


def test_the_same_seed_gives_the_same_text_and_another_one_another(app):
    texts = [list(write(app, seed=seed))[-1][-1] for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]


def test_two_models_side_by_side(app):
    *_, (left, right, _, _, _) = write(app, compare=True)
    assert left == right != ""  # the same model twice, with the same seed


def test_a_yield_after_each_token_and_nothing_after_a_close(app, story, monkeypatch):
    forwards = []
    monkeypatch.setattr(story.model, "forward", _counted(story.model.forward, forwards))
    handler = guarded(answers.write, app)(**ONE, **PLAIN, prompt=TEXT, max_new_tokens=50, lang="en")
    for read, _ in enumerate(handler):
        assert len(forwards) == read  # the first yield says that the model is loading
        if read == 3:
            break
    handler.close()
    assert len(forwards) == 3


def test_a_client_that_cancels_stops_the_model_within_two_tokens(app, story, monkeypatch):
    forwards, a_token = [], 0.25
    slow = _counted(story.model.forward, forwards)
    monkeypatch.setattr(story.model, "forward", lambda **inputs: time.sleep(a_token) or slow(**inputs))
    with gr.Blocks() as blocks:
        gr.api(guarded(answers.generate, app), api_name="generate")
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(url, verbose=False)
        job = client.submit(TEXT, "story", 200, api_name="/generate")
        while len(forwards) < 3:
            time.sleep(a_token / 10)
        job.cancel()
        at_most = len(forwards) + 2
        time.sleep(8 * a_token)
        assert len(forwards) <= at_most
        expected = generate(story.model, story.tokenizer, TEXT, GenerationSettings(max_new_tokens=4, temperature=1.0))
        assert client.predict(TEXT, "story", 4, api_name="/generate") == expected.text  # the app goes on
    finally:
        blocks.close()


def _counted(forward, calls: list):
    def counted(*args, **kwargs):
        calls.append(1)
        return forward(*args, **kwargs)

    return counted


def test_it_ends_when_its_time_is_over(app, monkeypatch):
    monkeypatch.setattr(answers, "SECONDS", -1)
    *_, (_, _, status, _, written) = write(app)
    assert "time" in status
    assert written == TEXT


@pytest.mark.parametrize("most", [0, answers.MOST_NEW + 1, math.nan])
def test_the_length_is_bounded_in_python(app, most):
    with pytest.raises((UserError, ValueError)):
        list(write(app, max_new_tokens=most))


def test_without_a_model_the_page_says_what_to_do(app):
    ((_, _, status, _, _),) = write(app, model=None, other=None, lang="pt-BR")
    assert "Treine" in status
    assert "Treine" in next_token(app, model=None, lang="pt-BR")
    assert "Treine" in surprise(app, model=None, lang="pt-BR")


def test_the_endpoint_gives_the_models_softmax_over_the_whole_vocabulary(endpoints, story):
    records = endpoints["next_token"](TEXT, "story", most=0, top_p=0.5, temperature=0.7)
    expected = softmax(story, TEXT)
    assert sorted(record["id"] for record in records) == list(range(len(expected)))
    for record in records:
        assert record["model"] == pytest.approx(float(expected[record["id"]]), abs=1e-5)
    assert [*records[0]] == ["id", "token", "model", "temperature", "top_p"]
    assert sum(record["top_p"] for record in records) == pytest.approx(1, abs=1e-5)
    assert [record["model"] for record in records] == sorted((record["model"] for record in records), reverse=True)
    assert len(endpoints["next_token"](TEXT, "story")) == 100


def test_the_endpoint_streams_the_text_so_far(endpoints):
    pieces = list(endpoints["generate"](TEXT, "story", max_new_tokens=6, seed=3))
    assert all(later.startswith(earlier) for earlier, later in pairwise(pieces))
    with pytest.raises(gr.Error, match="max_new_tokens"):
        list(endpoints["generate"](TEXT, "story", max_new_tokens=answers.MOST_NEW + 1))
    with pytest.raises(gr.Error, match="no model"):
        list(endpoints["generate"](TEXT, "../../etc"))


def test_the_bars_and_the_rest_add_up(app, story):
    shown = next_token(app, temperature=0.8, top_k=20, top_p=0.9, repetition_penalty=1.3)
    cards = shown.split('<table class="bars">')[1:]
    assert len(cards) == 5
    for card in cards:
        shown_values = re.findall(r"</span></td><td>([^<]+)</td>", card.split("</table>")[0])
        values = [float(value.replace("−", "-")) for value in shown_values]
        assert len(values) > 1
        assert sum(values) == pytest.approx(1, abs=0.0005 * len(values))
    assert f"Possible: 20 of {len(story.tokenizer)} tokens" in cards[3]
    assert "12 others" in cards[3]


def test_the_drawn_token_begins_the_text(app, story):
    settings = GenerationSettings(max_new_tokens=1, temperature=1.0, seed=5)
    (token,) = generate(story.model, story.tokenizer, TEXT, settings).token_ids
    assert token_labels(story.tokenizer, [token])[0] in next_token(app, seed=5)


def test_the_whole_vocabulary_can_be_saved(app):
    shown, right = answers.show_vocabularies(app, **ONE, **PLAIN, prompt=TEXT, lang="en")
    assert right == ""
    assert 'download="next-token-vocabulary.csv"' in shown
    assert 'download="next-token-vocabulary.json"' in shown


def test_the_bits_are_those_of_the_softmax(app, story):
    ids = encode_document(story.tokenizer, TEXT).tolist()
    with torch.no_grad():
        rows = story.model(torch.tensor([ids[:-1]])).logits[0].softmax(-1)
    costs = [f"{-math.log2(row[id]):.1f}" for row, id in zip(rows, ids[1:], strict=True)]
    assert re.findall(r"<small>([\d.]+) bits", surprise(app)) == costs


def test_a_chosen_token_shows_what_was_expected(app, story):
    coloured, shown = expected(app, "2")
    assert 'data-choose="2" aria-pressed="true"' in coloured
    ids = encode_document(story.tokenizer, TEXT).tolist()
    with torch.no_grad():
        row = story.model(torch.tensor([ids[:3]])).logits[0, -1].softmax(-1)
    rank = 1 + int((row > row[ids[3]]).sum())
    assert f"guess number {rank} of {len(row)}" in shown
    assert f"{float(row[ids[3]]):.4f}" in shown


@pytest.mark.parametrize("choice", ["999999", "-1", "abc", "None"])
def test_a_choice_that_is_not_there(app, choice):
    assert expected(app, choice)[1] == ""


def test_a_long_text_is_cut_and_says_so(app):
    shown = surprise(app, "x y " * 1000)
    assert shown.count("data-choose") == answers.TOKENS
    assert "left out" in shown


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "${alert(1)}", "{{7*7}}", "\u202ertl", "`x`"])
def test_text_comes_back_as_text(app, hostile):
    *_, (left, _, _, call, _) = write(app, prompt=hostile, max_new_tokens=4)
    everything = left + call + next_token(app, hostile) + surprise(app, hostile)
    assert "<img" not in everything


@pytest.mark.parametrize("show", [answers.show_next_tokens, answers.show_vocabularies])
def test_a_lone_surrogate_and_a_long_text_are_refused(app, show):
    for text in ("a\ud800", "a" * (app.config.max_characters + 1)):
        with pytest.raises(UserError):
            show(app, **ONE, **PLAIN, prompt=text, lang="en")
        with pytest.raises(UserError):
            surprise(app, text)
        with pytest.raises(UserError):
            list(write(app, prompt=text))


@pytest.mark.parametrize("name", answers.PRESETS)
def test_every_preset_can_be_used_and_says_why(app, name):
    *values, why = answers.choose_preset(app, preset=name, lang="pt-BR")
    assert len(why) > 100
    assert list(write(app, **dict(zip(PLAIN, values)), max_new_tokens=4, lang="pt-BR"))


def test_a_padded_vocabulary_has_labels(story):
    rows = len(story.tokenizer)
    stage = SimpleNamespace(name="model", probabilities=torch.full((rows + 2,), 1 / (rows + 2)), possible=rows + 2)
    assert {record["token"] for record in views.records(story.tokenizer, [stage])} >= {f"#{rows}", f"#{rows + 1}"}
