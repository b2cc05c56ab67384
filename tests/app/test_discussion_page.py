"""The discussion page: predict first, then the measured answer, or what bears on a question without one."""

from pathlib import Path

import pytest

from hf_llm.app.pages import discussion as page
from hf_llm.app.texts import text, texts
from hf_llm.config import UserError

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture
def with_results(app, monkeypatch):
    monkeypatch.setattr(app.config, "results", str(RESULTS))
    return app


@pytest.mark.parametrize("number", page.QUESTIONS)
def test_a_question_has_all_its_texts(number):
    keys = ["", "_background", "_predict", "_look", "_class", *(f"_{option}" for option in page.OPTIONS)]
    keys += [f"_{name}" for name in page.QUESTIONS[number].bearing]
    assert {f"discussion.{number}{key}" for key in keys} <= set(texts())
    pt, en = (text(f"discussion.{number}_class", lang).strip().splitlines() for lang in ("pt-BR", "en"))
    assert len(pt) == len(en) >= 3


def test_asking_hides_the_answer_and_empties_the_prediction():
    background, choice, words, notice, answered = page.ask("L33", "pt-BR")
    assert text("discussion.L33_predict", "pt-BR") in background
    assert [value for _, value in choice["choices"]] == ["a", "b", "c", "other"]
    assert (choice["value"], words, notice, answered["visible"]) == (None, "", "", False)


@pytest.mark.parametrize("made", ["", "L31"])
def test_without_a_prediction_for_this_question_nothing_is_shown(with_results, made):
    notice, *rest = page.show_answer(with_results, "L33", made, "en")
    assert "Your prediction first" in notice
    assert not any(isinstance(value, str) or "visible" in value for value in rest)


def test_a_question_without_an_experiment_points_to_labs(with_results, monkeypatch):
    monkeypatch.setitem(page.QUESTIONS, "L33", page.Question(None, ("optimizers", "nowhere")))
    _, answered, answer, measured, _, _, after = page.show_answer(with_results, "L33", "L33", "pt-BR")
    assert answered["visible"]
    assert not measured["visible"]
    assert 'href="./foundations?lab=optimizers&amp;lang=pt-BR"' in answer
    assert "nowhere" not in answer
    assert "<ol><li>" in after


def test_a_question_with_an_experiment_shows_its_result(with_results, monkeypatch):
    monkeypatch.setitem(page.QUESTIONS, "L33", page.Question("optimizers", ("feature-scaling",)))
    _, _, _, measured, title, full, _ = page.show_answer(with_results, "L33", "L33", "en")
    assert measured["visible"]
    assert title.startswith("## Optimizers")
    assert "python scripts/discuss.py optimizers --output_dir results/optimizers" in full


def test_the_endpoint_gives_the_committed_result(with_results):
    discuss = page.endpoints(with_results)["discuss"]
    answer = discuss("losses", "en")
    saved = page.committed(str(RESULTS), "losses", "en")
    assert [finding["value"] for finding in answer["findings"]] == [f["value"] for f in saved.values["findings"]]
    assert answer["findings"][0]["claim"] == saved.values["findings"][0]["claim"]["en"]
    assert answer["report"] == (RESULTS / "losses" / "report.en.md").read_text(encoding="utf-8")
    assert discuss("losses")["caveats"][0] == saved.values["caveats"][0]["pt-BR"]


def test_the_endpoint_refuses_other_names(with_results, tmp_path, monkeypatch):
    discuss = page.endpoints(with_results)["discuss"]
    with pytest.raises(UserError, match="no experiment"):
        discuss("../results/losses", "en")
    monkeypatch.setattr(with_results.config, "results", str(tmp_path))
    with pytest.raises(UserError, match="não está nesta cópia"):
        discuss("losses", "pt-BR")
