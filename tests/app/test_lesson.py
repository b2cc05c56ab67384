"""The lesson: each step draws what the model at hand computes, after a prediction, in words that fit what came out."""

import re
from pathlib import Path

import numpy as np
import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.pages.home import lesson
from hf_llm.app.pages.home.lesson import NAMES, SENTENCES, STEPS
from hf_llm.app.pages.home.step import OPTIONS, At
from hf_llm.app.pages.home.steps.descent.step import descend
from hf_llm.app.pages.home.steps.optimizer.step import walks
from hf_llm.app.pages.home.steps.recitation.step import beginning_of, share_copied
from hf_llm.app.server.library import Library
from hf_llm.app.server.trainings import Trainings
from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.texts import text
from hf_llm.tokenization.bpe import pretokenize

RESULTS = str(Path(__file__).parents[2] / "results")
WITH_RESULTS = ("tf_idf", "judge")  # of experiments, which test_labs.py knows
USUAL = {
    "neuron": {"w1": 0.75, "w2": 0.5, "bias": -0.5, "activation": "relu"},
    "descent": {"rate": 0.02}, "optimizer": {"steps": 15}, "dropout": {"mode": "training", "p": 0.5},
    "pieces": {"merges": 100}, "addresses": {"shuffle": 1}, "mask": {"mask": "with"}, "values": {"layer": 0, "key": -1},
    "block": {"off": "mlp", "layer": 0}, "temperature": {"temperature": 2.0}, "recitation": {"beginning": "training"},
    "tf_idf": {"labels": "4000"}, "judge": {"hidden": "nothing_hidden"}, "seven": {},
}  # fmt: skip


def seen(app, name: str, lang: str = "en", sentence: str = SENTENCES["en"], **changes):
    return STEPS[name].draw(At(app, sentence, "story", lang), **{**USUAL[name], **changes})


def opened(app, name: str, made: dict, lang: str = "en") -> dict:
    given = {f"{step}_{control}": value for step in NAMES for control, value in USUAL[step].items()}
    asked = {"step": name, "text": SENTENCES[lang], "model": "story", "made": made, "lang": lang, **given}
    return {**lesson.open_step(app, **asked), **lesson.draw(app, **asked)}


@pytest.fixture
def empty(tmp_path) -> App:
    """An app without a model."""
    config = AppConfig(runs=str(tmp_path), results=RESULTS)
    return App(config, Library(tmp_path, []), Trainings(tmp_path, 1, 60), ("home",))


@pytest.mark.parametrize("name", NAMES)
def test_a_step_has_all_its_texts_and_its_controls_are_those_that_it_draws_with(built, name):
    step = STEPS[name]
    keys = ["title", "intro", *(["predict", "do", *(f"option.{each}" for each in OPTIONS)] if step.predicts else [])]
    assert all(step.say(key, lang) for key in keys for lang in SENTENCES)
    with built[0]:
        assert set(step.controls()) == set(USUAL[name])
    assert step.page in built[1].pages


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_a_step_shows_nothing_before_a_prediction_and_says_afterwards_what_came_true(app, name, lang):
    step, before = STEPS[name], opened(app, name, {}, lang)
    if step.predicts:
        assert text("home.predict_first", lang) in before["verdict"]
        assert before["seen"] == before["why"] == before["below"] == ""
        assert [value for _, value in before["choice"]["choices"]] == [*OPTIONS]
    assert before[f"column {name}"]["visible"] is not step.predicts
    after = opened(app, name, {name: "a"}, lang)
    assert after["why"], after["seen"]
    assert after[f"column {name}"]["visible"]
    assert not any(after[f"column {other}"]["visible"] for other in NAMES if other != name)
    if not step.predicts:
        return
    right = seen(app, name, lang, SENTENCES[lang]).right
    said = {"a": "right", None: "neither"}.get(right, "otherwise")
    option = step.say(f"option.{right}", lang) if right else ""
    assert text(f"home.{said}", lang, option=option).replace("'", "&#x27;") in after["verdict"]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_model_a_step_works_or_says_how_to_get_one(empty, name):
    given = {f"{name}_{control}": value for control, value in USUAL[name].items()}
    asked = {"step": name, "text": "A cat", "model": None, "made": {name: "a"}, "lang": "en", **given}
    shown = lesson.draw(empty, **asked)
    needs = STEPS[name].needs
    assert (shown["why"] == "") == (needs is not None)
    if needs:
        assert "Train" in shown["seen"]
    assert lesson.open_step(empty, **asked)["train_network"]["visible"] == (needs == "mlp")


def test_what_a_browser_has_kept_may_be_anything():
    assert lesson.known(None) == lesson.known("x") == lesson.known({"mask": ["a"], "no": "a", "values": "ab"}) == {}
    kept = lesson.predict(None, step="mask", choice="c", made={"neuron": "a"}, lang="en")
    assert kept == {"neuron": "a", "mask": "c"}
    assert lesson.predict(None, step="mask", choice=None, made={}, lang="en") == {}
    assert lesson.predict(None, step="no", choice="a", made={}, lang="en") == {}


def test_a_link_to_no_step_opens_the_first(app):
    assert text("neuron.title", "en") in opened(app, "<b>", {})["asked"]


def test_a_click_leads_back_to_a_step_or_chooses_a_token(app):
    assert lesson.choose(app, choice="3", step="mask", lang="en") == {}
    assert lesson.choose(app, choice="mask", step="seven", lang="en") == {"step": "mask"}
    assert lesson.choose(app, choice="3", step="values", lang="en") == {"values_key": 3}
    assert lesson.choose_in_picture(app, choice="layer:1", block_off="mlp", lang="en") == {"block_layer": 1}
    assert lesson.choose_in_picture(app, choice="off:mlp", block_off="mlp", lang="en") == {"block_off": "nothing"}
    assert lesson.choose_in_picture(app, choice="off:head", block_off="mlp", lang="en") == {"block_off": "head"}
    assert lesson.choose_in_picture(app, choice="place:mid", block_off="mlp", lang="en") == {}


def test_the_sentence_goes_along_to_the_toolbox(app):
    link = re.search(r'href="([^"]+)"', opened(app, "mask", {})["further"]).group(1)
    assert link.startswith("./inside?text=The%20cat%20that")
    assert "part=attention" in link
    assert "model=story" in link


def test_the_neuron_is_the_textbooks(app):
    shown = seen(app, "neuron", w1=-1.0, w2=2.0, bias=0.5)  # 2·(−1) + (−1)·2 + 0.5
    assert "<td>−3.5</td>" in shown.shown
    assert "<td>0</td>" in shown.shown
    assert "<td>−3.5</td>" in seen(app, "neuron", w1=-1.0, w2=2.0, bias=0.5, activation="identity").shown


@pytest.mark.parametrize(("rate", "said"), [(0.02, "falling all the way"), (0.15, "jumps"), (0.2, "the error grows")])
def test_training_is_worded_by_how_it_goes(app, rate, said):
    losses, outputs = descend(rate)
    # the gradient of (w·x + b − y)² shrinks or grows the error by 1 − 2 (‖x‖² + 1) rate each step
    errors = 2.5 * (1 - 12 * rate) ** np.arange(len(losses))
    np.testing.assert_allclose(losses, errors**2, rtol=1e-9)
    np.testing.assert_allclose(outputs, 3 - errors, rtol=1e-9)
    assert said in seen(app, "descent", rate=rate).why


def test_the_optimizer_that_comes_true_needs_the_fewest_steps(app):
    found = {rule: steps for rule, (steps, _) in walks().items()}
    assert all(found.values())
    assert "abc".index(seen(app, "optimizer").right) == [*found.values()].index(min(found.values()))


def test_dropout_is_worded_by_the_mode(app):
    assert "nothing is left to chance" in seen(app, "dropout", mode="evaluation").why
    training = seen(app, "dropout", mode="training", p=0.8)
    assert "multiplied by 5.00" in training.why
    assert training.right == "b"
    probabilities = [
        re.findall(r"</span></td><td>([^<]+)</td>", seen(app, "dropout", mode=mode, p=0.5).shown)[:4]
        for mode in ("training", "evaluation")
    ]
    assert len({*probabilities[0]}) > 1
    assert len({*probabilities[1]}) == 1


def test_the_sentence_is_cut_by_the_merges_so_far(app):
    sentence = "the cat"
    assert seen(app, "pieces", sentence=sentence, merges=0).shown.count("<li>") == len("".join(pretokenize(sentence)))
    whole = seen(app, "pieces", sentence="xylophone the", merges=743)
    assert whole.right == "b"
    with pytest.raises(UserError):
        seen(app, "pieces", sentence="")


def test_the_mask_shows_or_hides_the_future(app):
    masked, open_ = (seen(app, "mask", sentence="one two", mask=mask) for mask in ("with", "without"))
    assert 'class="masked"' in masked.shown
    assert 'class="masked"' not in open_.shown
    assert masked.right == open_.right == "c"


def test_a_token_without_its_value_keeps_its_weight(app):
    shown = seen(app, "values", key=2)
    assert shown.right == "b"
    assert re.search(r'data-choose="2" aria-pressed="true"', shown.shown)


def test_the_picture_of_the_block_has_the_part_crossed_out(app):
    assert 'class="cross"' in seen(app, "block", off="mlp").below
    assert 'class="cross"' not in seen(app, "block", off="nothing").below


def test_a_copied_continuation_is_told_from_one_of_its_own():
    training = "One two three four five. Six seven."
    assert share_copied("two  three\nfour", training) == 1.0
    assert share_copied("two three nine ten", training) < 0.7
    assert beginning_of(training * 10) == "One two three four five. Six seven.One two three four five."


def test_a_model_that_knows_its_text_by_heart_is_said_to_recite(app, monkeypatch):
    from hf_llm.app.pages.home.steps.recitation import step as recitation

    corpus = recitation.corpus_of(At(app, "x", "story", "en"))
    assert corpus.training
    assert "no reciting, only common phrases" in seen(app, "recitation").why
    read = recitation.beginning_of(corpus.training)
    monkeypatch.setattr(recitation, "continuation", lambda at, prompt: "~" * 100)  # nothing of it stands there
    assert "no reciting" in seen(app, "recitation").why
    half = {True: corpus.training[200:260] + "~" * 40, False: "~" * 100}  # what follows what it has read, and what not
    monkeypatch.setattr(recitation, "continuation", lambda at, prompt: half[prompt == read])
    assert "this model has kept passages" in seen(app, "recitation").why
    monkeypatch.setattr(recitation, "continuation", lambda at, prompt: corpus.training[200:300])
    assert "this model has memorised it" in seen(app, "recitation").why
    assert seen(app, "recitation").right == "a"
    monkeypatch.setattr(recitation, "corpus_of", lambda at: None)
    assert seen(app, "recitation").right is None


def test_what_is_held_out_begins_with_a_whole_word(app):
    from hf_llm.app.pages.home.steps.recitation import step as recitation

    corpus = recitation.corpus_of(At(app, "x", "story", "en"))
    before = read_text("sample").text.removesuffix(corpus.held_out)
    assert before[-1].isspace()
    assert before.startswith(corpus.training)


@pytest.mark.parametrize(
    ("activation", "reason"), [("identity", "the line is straight"), ("relu", "ReLU turns"), ("gelu", "not straight")]
)
def test_the_reason_is_that_of_the_activation(app, activation, reason):
    assert reason in seen(app, "neuron", activation=activation).why


@pytest.mark.parametrize(
    ("labels", "lesson"), [("4000", "Counting words is enough"), ("64", "Pieces of words"), ("16", "pretraining")]
)
def test_what_tf_idf_teaches_depends_on_the_number_of_labels(app, labels, lesson):
    assert lesson in seen(app, "tf_idf", labels=labels).why


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_the_seven_questions_lead_back_to_steps(app, lang):
    shown = seen(app, "seven", lang).shown
    assert shown.count("<details>") == 7
    assert {*re.findall(r'data-choose="(\w+)"', shown)} <= set(NAMES)


def test_the_verdict_is_on_the_question_whatever_the_controls_show(app):
    for lang in ("pt-BR", "en"):
        given = {f"{name}_{control}": value for name in NAMES for control, value in USUAL[name].items()}
        verdicts = {
            lesson.draw(
                app,
                step="tf_idf",
                text="",
                model=None,
                made={"tf_idf": "b"},
                lang=lang,
                **given | {"tf_idf_labels": labels},
            )["verdict"]
            for labels in ("16", "4000")
        }
        assert len(verdicts) == 1
    layers = {seen(app, "block", layer=layer).right for layer in (0, 1)}
    assert len(layers) == 1


def test_the_way_on_ends_with_the_last_step_and_a_layer_slider_with_the_models_last(app):
    first, last = (opened(app, name, {name: "a"}, "en") for name in (NAMES[0], NAMES[-1]))
    assert (first["back"]["interactive"], first["forward"]["interactive"]) == (False, True)
    assert (last["back"]["interactive"], last["forward"]["interactive"]) == (True, False)
    assert opened(app, "values", {"values": "a"}, "en")["layer of values"]["maximum"] == 1
    assert "maximum" not in opened(app, "values", {}, "en")["layer of values"]  # no model is loaded for it before
