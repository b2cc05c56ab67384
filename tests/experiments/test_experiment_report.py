"""The frame: what a result becomes on the disk, numbers in two languages, sentences without measured values."""

import json
import re
import string
from pathlib import Path

import pytest

from hf_llm.evaluation.charts import new_figure
from hf_llm.experiments.report import TEMPLATES, write_result
from hf_llm.experiments.result import LANGUAGES, Chart, Finding, Result, Table, Timings, Words, track, verdict
from hf_llm.experiments.words import shown, shown_interval, with_decimal_marks


def word(text: str) -> Words:
    return Words(pt=f"{text}, em português", en=f"{text}, in English")


def draw(language):
    figure, axes = new_figure()
    axes[0, 0].plot([0, 0.5, 1], [0.1, 0.2, 0.4])
    axes[0, 0].set_xlabel(word("step")[language])
    return figure


@pytest.fixture
def result() -> Result:
    rows = [{"setting": word("one"), "accuracy": 0.98765, "hidden": 3}, {"setting": word("two"), "accuracy": None}]
    headings = {"setting": word("setting"), "accuracy": word("accuracy")}
    long = [{"step": step} for step in range(100)]
    return Result(
        title=word("A title"), introduction=word("What is compared"), lecture=["L4"], quick=True, seeds=[0, 1],
        settings={"steps": 10},
        findings=[
            Finding(word("It helps"), word("difference"), 0.5, (0.25, 0.75), "yes"),
            Finding(word("It is | exact"), word("distance"), 0.0, None, "yes"),
            Finding(word("It is faster"), word("once"), 1.0, (float("-inf"), float("inf")), "unclear"),
        ],
        tables={
            "main": Table(word("A table"), headings, rows),
            "long": Table(word("Steps"), {"step": word("step")}, long),
        },
        charts={"curve": Chart(word("A curve"), draw)},
        caveats=[word("One machine")],
        timings=Timings({"times": Table(word("Times"), {"seconds": word("seconds")}, [{"seconds": 1.5}])}),
    )  # fmt: skip


def test_a_result_is_written_whole_in_both_languages(result, tmp_path):
    write_result(result, "name", tmp_path)
    for language, other, mark in (("pt-BR", "in English", "0,9877"), ("en", "em português", "0.9877")):
        report = (tmp_path / f"report.{language}.md").read_text(encoding="utf-8")
        assert other not in report
        assert mark in report
        assert (tmp_path / "figures" / f"curve.{language}.png").stat().st_size > 1000
        assert f"(figures/curve.{language}.png)" in report
        assert report.count("<details>") == 1
        assert "{%" not in report
        assert "{{" not in report
        assert "hidden" not in report
        assert re.search(r"is \\\| exact", report)
    saved = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert saved["experiment"] == "name"
    assert saved["findings"][0]["claim"] == {"pt-BR": "It helps, em português", "en": "It helps, in English"}
    assert saved["findings"][2]["interval"] == [None, None]
    assert saved["tables"]["main"]["rows"][0]["hidden"] == 3
    assert saved["timings"]["tables"]["times"]["rows"] == [{"seconds": 1.5}]


@pytest.mark.parametrize(
    ("value", "english", "portuguese"),
    [
        (0.98765, "0.9877", "0,9877"), (12345, "12,345", "12.345"), (12345.6, "12,346", "12.346"), (0.0, "0", "0"),
        (-0.5, "−0.5", "−0,5"), (3.2e-7, "3.20e−07", "3,20e−07"), (True, "yes", "sim"), (None, "", ""),
        ("GPT-2", "GPT-2", "GPT-2"), (float("inf"), "∞", "∞"), (float("nan"), "NaN", "NaN"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_each_language_does(value, english, portuguese):
    assert (shown(value, "en"), shown(value, "pt-BR")) == (english, portuguese)


def test_an_exact_value_has_no_interval():
    assert shown_interval(None, "en") == "–"
    assert shown_interval((0.5, 1.5), "pt-BR") == "[0,5; 1,5]"


def test_axes_have_decimal_commas_and_keep_their_limits():
    figure = draw("pt-BR")
    limits = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    with_decimal_marks(figure, "pt-BR")
    texts = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert any("," in text for text in texts)
    assert not any("." in text for text in texts)
    assert (figure.axes[0].get_xlim(), figure.axes[0].get_ylim()) == limits


def test_a_verdict_needs_the_whole_interval():
    assert [verdict(bounds) for bounds in ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1))] == ["yes", "no", "unclear"]
    assert verdict((0.6, 0.7), threshold=0.65) == "unclear"


def test_progress_is_told_for_every_cell():
    told = []
    assert list(track("abc", lambda *progress: told.append(progress))) == ["a", "b", "c"]
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_hold_no_number(language):
    text = re.sub(r"\{[{%].*?[%}]\}", "", TEMPLATES[language].read_text(encoding="utf-8"))
    assert not set(text) & set(string.digits)


# proper names and notations, the only places for a digit in a sentence
NAMES = r"GPT-2|LeNet-5|LeNet5|\bL[12]\b|\bC[135]\b|\bS[24]\b|\bF6\b|[eE]\d-\d|‖²|²|\d+ ?×|ReLU6|95 %"


def sentences(result: dict):
    for finding in [*result["findings"], *result["timings"]["findings"]]:
        yield from finding["claim"].values()
        yield from finding["measure"].values()
    for text in (result["title"], result["introduction"], *result["caveats"], *result["charts"].values()):
        yield from text.values()
    for table in [*result["tables"].values(), *result["timings"]["tables"].values()]:
        yield from table["caption"].values()


RESULTS = sorted((Path(__file__).parents[2] / "results").glob("*/result.json"))
COMMITTED = [(path.parent.name, json.loads(path.read_text(encoding="utf-8"))) for path in RESULTS]
EXPERIMENTS = [pytest.param(result, id=name) for name, result in COMMITTED if "experiment" in result]


@pytest.mark.parametrize("result", EXPERIMENTS)
def test_committed_results_are_full_ones(result):
    assert not result["quick"]
    assert len(result["seeds"]) >= 5
    assert not result["commit"].endswith("+"), "made from a work tree that was not committed"


@pytest.mark.parametrize("result", EXPERIMENTS)
def test_committed_sentences_hold_no_measured_value(result):
    for sentence in sentences(result):
        assert not set(re.sub(NAMES, "", sentence)) & set(string.digits), sentence
