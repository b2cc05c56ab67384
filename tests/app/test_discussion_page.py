"""The discussion page: predict first, then the measured answer and what bears on it."""

import re
from pathlib import Path

import gradio as gr
import pytest
from saved_results import CURRENT

from hf_llm.app.config import AppConfig
from hf_llm.app.guarded import guarded
from hf_llm.app.pages.discussion import answers as page
from hf_llm.app.server.build import build
from hf_llm.app.server.results import committed
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import text, texts

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture
def with_results(app, monkeypatch):
    monkeypatch.setattr(app.config, "results", str(RESULTS))
    return app


def answer(app, question="L33", made="L33", lang="en") -> tuple:
    return page.show_answer(app, question=question, made=made, lang=lang)


@pytest.mark.parametrize("number", page.QUESTIONS)
def test_a_question_has_all_its_texts(number):
    keys = ["question", "background", "predict", "look", "class"]
    keys += [f"bearing.{name}" for name in page.BEARING[number]]
    assert {f"{number}.{key}" for key in keys} <= set(texts("discussion"))
    assert page.QUESTIONS[number] in EXPERIMENTS
    assert all(page.option(number, name, lang) for name in page.OPTIONS for lang in ("pt-BR", "en"))
    pt, en = (text(f"discussion.{number}.class", lang).splitlines() for lang in ("pt-BR", "en"))
    assert len(pt) == len(en) >= 3


def test_asking_hides_the_answer_and_empties_the_prediction(app):
    background, choice, reason, notice, answered = page.ask(app, question="L33", lang="pt-BR")
    assert text("discussion.L33.predict", "pt-BR") in background
    assert [value for _, value in choice["choices"]] == ["a", "b", "c", "other"]
    assert (choice["value"], reason, notice, answered["visible"]) == (None, "", "", False)


@pytest.mark.parametrize("made", ["", "L31"])
def test_without_a_prediction_for_this_question_nothing_is_shown(with_results, made):
    notice, *rest = answer(with_results, made=made)
    assert "Your prediction first" in notice
    assert not any(isinstance(value, str) or "visible" in value for value in rest)


def test_a_question_with_an_experiment_shows_its_answer_and_what_the_data_support(with_results, monkeypatch):
    monkeypatch.setitem(page.QUESTIONS, "L33", CURRENT)
    monkeypatch.setattr(page, "option", lambda number, name, lang: f"option {name}")
    saved = committed(str(RESULTS), CURRENT)
    saved = type(saved)(saved.folder, {**saved.values, "predictions": {"a": "no", "b": "yes", "c": "inconclusive"}})
    monkeypatch.setattr(page, "committed", lambda results, name: saved)
    _, answered, first, full, after = answer(with_results)
    assert answered["visible"]
    assert first.index("✓ The data support the prediction “option b”.") < first.index("contradict “option a”.")
    assert "data:image/png" in first
    assert "? “option c” stays open" in first
    assert saved.values["answer"]["en"][:40].split("*")[0] in full
    assert saved.values["command"] in full
    assert text("discussion.also", "en") in after


def test_the_endpoint_gives_the_committed_result(with_results):
    discuss = guarded(page.discuss, with_results)
    given, saved = discuss(CURRENT, "en"), committed(str(RESULTS), CURRENT).values
    found = [*saved["findings"], *saved["timings"]["findings"]]
    assert [finding["value"] for finding in given["findings"]] == [finding["value"] for finding in found]
    assert given["findings"][0]["claim"] == found[0]["claim"]["en"]
    assert given["answer"] == saved["answer"]["en"]
    assert given["report"] == (RESULTS / CURRENT / "report.en.md").read_text(encoding="utf-8")
    assert discuss(CURRENT)["limits"][0] == saved["limits"][0]["pt-BR"]


def test_the_endpoint_refuses_other_names(with_results, tmp_path, monkeypatch):
    discuss = guarded(page.discuss, with_results)
    with pytest.raises(gr.Error, match="no experiment"):
        discuss("../results/losses", "en")
    monkeypatch.setattr(with_results.config, "results", str(tmp_path))
    with pytest.raises(gr.Error, match="não está nesta cópia"):
        discuss("losses", "pt-BR")


def test_a_class_is_counted_by_option_and_nothing_else_is_kept(runs):
    _, app = build(AppConfig(runs=str(runs), count_predictions=True))

    def count(**given) -> list[str]:
        shown = page.count(app, **{"question": "L33", "made": "L33", "chosen": "", **given}, lang="en")
        return re.findall(r"<td>(\d+)</td>", shown)

    assert count() == ["0"] * 4
    for chosen in ("b", "b", "other"):
        count(chosen=chosen)
    for given in ({"chosen": "<b>"}, {"chosen": "a", "made": ""}, {"question": "x", "made": "x", "chosen": "a"}):
        count(**given)
    assert count() == ["0", "2", "0", "1"]
    assert app.predictions.of("L33") == {"b": 2, "other": 1}
    assert app.predictions.of("L31") == {}


@pytest.mark.parametrize("counts", [False, True])
def test_a_choice_leaves_the_browser_only_where_a_class_is_counted(runs, counts):
    blocks, _ = build(AppConfig(runs=str(runs), count_predictions=counts))
    asked = {
        label for fn in blocks.fns.values() if fn.fn for label in (getattr(each, "label", "") for each in fn.inputs)
    }
    assert ("chosen" in asked) is counts
    assert text("discussion.choice", "en") not in {str(label) for label in asked}
