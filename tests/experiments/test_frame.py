"""The experiments' frame: verdicts, the answer that follows the measured values, a folder written and read again."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hf_llm.config import UserError
from hf_llm.evaluation.charts import new_figure
from hf_llm.experiments.frame import charts
from hf_llm.experiments.frame.findings import Finding, above, below, exact, within
from hf_llm.experiments.frame.lab import Lab, Say
from hf_llm.experiments.frame.report import (
    read_table,
    with_decimal_commas,
    write_measured,
    write_result,
)
from hf_llm.experiments.frame.result import judge
from hf_llm.experiments.frame.study import Study, best, by_seed, select
from hf_llm.texts import LANGUAGES, catalogue

ORIGIN = {"command": "hf-llm discuss toy", "commit": "0" * 40, "environment": {"versions": {"torch": "2"}}}
TEXTS = """
question: {pt: "O treino ajuda?", en: "Does training help?"}
answer:
  gain:
    yes:
      pt: "Sim: {gain.value:.1f} pontos {gain.interval:.1f}."
      en: "Yes: {gain.value:.1f} points {gain.interval:.1f}."
    no: {pt: "Não.", en: "No."}
    inconclusive: {pt: "Não se sabe.", en: "Nobody knows."}
  end: {pt: "Com {steps:,d} passos, de {best}.", en: "With {steps:,d} steps, by {best}."}
findings:
  gain:
    yes: {pt: "Ganha {value:.1f} > {threshold:g}.", en: "It gains {value:.1f} > {threshold:g}."}
    no: {pt: "Perde.", en: "It loses."}
    inconclusive: {pt: "Talvez.", en: "Perhaps."}
  error:
    yes: {pt: "Igual | {value}.", en: "Equal | {value}."}
    no: {pt: "Diferente.", en: "Different."}
  seconds:
    yes: {pt: "Rápido.", en: "Fast."}
    no: {pt: "Lento.", en: "Slow."}
names: {new: {pt: novo, en: new}, old: {pt: velho, en: old}}
figures: {gain: {caption: {pt: "Um ganho", en: "A gain"}}, other: {caption: {pt: "Outra", en: "Another"}}}
summaries: {means: {caption: {pt: "Médias", en: "Means"}, kind: {pt: tipo, en: kind}, score: {pt: nota, en: score}}}
limits: {one: {pt: "Só {steps:,d} passos.", en: "Only {steps:,d} steps."}}
reading: {paper: {pt: "Um artigo", en: "A paper"}}
"""


def toy_part(gains):
    def run(study: Study):
        rows = [
            {"kind": kind, "seed": seed, "score": 50 + (gains[seed] if kind == "new" else 0)}
            for kind, seed in study.track([(kind, seed) for kind in ("new", "old") for seed in study.seeds])
        ]
        return {"scores": pd.DataFrame(rows), "times": pd.DataFrame({"seed": list(study.seeds), "seconds": 1 / 3})}

    def findings(tables):
        new, old = (by_seed(tables["scores"], "score", kind=kind) for kind in ("new", "old"))
        return [
            exact("seconds", tables["times"]["seconds"].max(), 1.0, "below", timed=True),
            exact("error", 0.0, 1e-6, "within"),
            above("gain", new - old, threshold=0.5),
        ]

    def draw(tables, say):
        figure, axes = new_figure()
        charts.dots(axes[0, 0], tables["scores"], "score", "kind", say)
        axes[0, 0].plot([50, 50.5], [0.25, 0.75])
        return figure

    means = lambda tables: tables["scores"].groupby("kind", sort=False, as_index=False)["score"].mean()  # noqa: E731
    return SimpleNamespace(
        measure=run,
        findings=findings,
        FIGURES={"other": draw, "gain": draw},
        SUMMARIES={"means": means},
        TIMED={"times"},
    )  # fmt: skip


@pytest.fixture
def toy(tmp_path, monkeypatch):
    (tmp_path / "toy_lab").mkdir()
    (tmp_path / "toy_lab" / "texts.yaml").write_text(TEXTS, encoding="utf-8")
    folders = {**catalogue.folders(), "toy_lab": tmp_path / "toy_lab" / "texts.yaml"}
    monkeypatch.setattr(catalogue, "folders", lambda: folders)
    catalogue.texts.cache_clear()

    def make(gains) -> Lab:
        return Lab(
            folder="toy_lab", parts=[toy_part(gains)], lecture=["L4"], figure="gain", shown=["gain", "error"],
            settings=lambda study: {"steps": 1234}, quantities=lambda tables: {"best": "new"},
            predictions={"a": {"gain": "yes"}, "b": {"gain": "no"}, "c": {"gain": "yes", "error": "no"}},
        )  # fmt: skip

    yield make
    catalogue.texts.cache_clear()


GAINS = {"yes": [1.0, 1.2, 1.1], "no": [-1.0, -1.2, -1.1], "inconclusive": [-3.0, 5.0, 0.4]}


@pytest.mark.parametrize("verdict", GAINS)
def test_the_answer_the_claim_and_the_predictions_follow_the_measured_values(toy, verdict):
    lab = toy(GAINS[verdict])
    result = judge(lab, lab.measure(Study(range(3))), lab.settings(Study(range(3))), quick=False, seeds=[0, 1, 2])
    gain = result.findings[0]
    assert gain.supported == verdict
    said = {"yes": ("Yes: 1.1 points", "It gains 1.1 > 0.5."), "no": ("No.", "It loses."),
            "inconclusive": ("Nobody knows.", "Perhaps.")}[verdict]  # fmt: skip
    assert result.answer("en").startswith(said[0])
    assert result.answer("en").endswith("With 1,234 steps, by new.")
    assert result.answer("pt-BR").endswith("Com 1.234 passos, de new.")
    assert result.claim(gain, "en") == said[1]
    opposite = {"yes": "no", "no": "yes", "inconclusive": "inconclusive"}
    # option c also asks that the exact finding fails, which it does not
    assert result.lab.predicted(result.findings) == {"a": verdict, "b": opposite[verdict], "c": "no"}


def test_a_result_is_written_whole_and_written_again_from_its_tables(toy, tmp_path, monkeypatch):
    lab = toy(GAINS["yes"])
    study = Study(range(3), quick=True)
    monkeypatch.setattr("hf_llm.experiments.frame.report.origin_now", lambda: ORIGIN)
    write_measured(lab, study, lab.measure(study), tmp_path / "out")
    result = write_result(lab, tmp_path / "out")
    saved = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert [finding["key"] for finding in saved["findings"]] == ["gain", "error"]
    assert [finding["key"] for finding in saved["timings"]["findings"]] == ["seconds"]
    assert list(saved["tables"]) == ["scores"]
    assert list(saved["timings"]["tables"]) == ["times"]
    assert saved["limits"] == [{"pt-BR": "Só 1.234 passos.", "en": "Only 1,234 steps."}]
    english, portuguese = (
        (tmp_path / "out" / f"report.{lang}.md").read_text(encoding="utf-8") for lang in ("en", "pt-BR")
    )
    for report, words in (
        (english, ["# Does training help?", "Yes: 1.1 points [0.9; 1.3]", "**yes** · Equal | 0.", "| new | 51.1 |"]),
        (portuguese, ["# O treino ajuda?", "Sim: 1,1 pontos [0,9; 1,3]", "**sim** · Igual | 0.", "| novo | 51,1 |"]),
    ):
        for said in [*words, "(tables/scores.csv)", ORIGIN["command"]]:
            assert said in report
        visible, folded = report.split("<details>")[0], report.split("<details>")[1]
        assert "{%" not in report
        assert "figures/gain." in visible
        assert "figures/other." in folded
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".png"]
    before = {path: path.read_bytes() for path in files}
    assert write_result(lab, tmp_path / "out").answer("en") == result.answer("en")
    assert {path: path.read_bytes() for path in files} == before
    assert len(list((tmp_path / "out" / "figures").glob("*.png"))) == 4


def test_what_was_measured_outlives_a_mistake_in_judging_it(toy, tmp_path, monkeypatch):
    lab, study = toy(GAINS["yes"]), Study(range(3), quick=True)
    write_measured(lab, study, lab.measure(study), tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(type(lab), "findings", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # a bug keeps its traceback
            write_result(lab, tmp_path)
    assert write_result(lab, tmp_path).answer("en").startswith("Yes: 1.1 points")


def test_what_cannot_be_written_again_says_so(toy, tmp_path):
    with pytest.raises(UserError, match="holds no whole result of toy-lab"):
        write_result(toy(GAINS["yes"]), tmp_path)


def test_tables_come_back_bit_for_bit(tmp_path):
    table = pd.DataFrame({"kind": ["none", "NA", "a"], "value": [1 / 3, np.nan, np.inf], "step": [1, 2, 3]})
    (tmp_path / "t.csv").write_text(table.to_csv(index=False), encoding="utf-8")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv"), table, check_exact=True)


def test_progress_counts_every_cell_of_every_part(toy):
    lab, reported = toy(GAINS["yes"]), []
    Lab(**{**lab.__dict__, "parts": lab.parts * 2}).measure(
        Study(range(2), report=lambda done, total: reported.append((done, total)))
    )
    assert reported == [(25 * n + 100 * part, 200) for part in (0, 1) for n in range(5)]


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (above("k", [0.1, 0.11, 0.12]), "yes"), (above("k", [-0.1, -0.11, -0.12]), "no"),
        (above("k", [-1.0, 1.0, 0.1]), "inconclusive"), (above("k", [0.6, 0.7, 0.65], threshold=0.64), "inconclusive"),
        (below("k", [0.1, 0.11, 0.12], threshold=0.2), "yes"), (below("k", [0.1, 0.11, 0.12], threshold=0.05), "no"),
        (within("k", [0.01, -0.01, 0.0], threshold=0.1), "yes"), (within("k", [1.0, 1.1, 1.2], threshold=0.1), "no"),
        (within("k", [0.0, 0.2, 0.1], threshold=0.1), "inconclusive"), (above("k", [1.0]), "inconclusive"),
        (exact("k", 1e-9, 1e-6, "below"), "yes"), (exact("k", 1e-3, 1e-6, "below"), "no"),
        (exact("k", 0.0, 0.0, "within"), "yes"), (exact("k", 2, 1), "yes"), (exact("k", 1, 1), "no"),
    ],
)  # fmt: skip
def test_a_verdict_needs_the_whole_interval(finding, verdict):
    assert finding.supported == verdict


def test_intervals_stay_where_values_can_be():
    ratio = above("k", [0.1, 1.0, 5.0], threshold=1.0, scale="log")
    cosine = above("k", [0.9, 0.99, 0.999], scale="fisher")
    share = above("k", [0.9, 0.99, 0.999], scale="logit")
    assert 0 < ratio.interval[0] < ratio.value < ratio.interval[1]
    assert ratio.value == pytest.approx(0.5 ** (1 / 3))  # the geometric mean
    for bounded in (cosine, share):
        assert -1 < bounded.interval[0] < bounded.value < bounded.interval[1] < 1
    assert above("k", [0.9, 0.99, 0.999]).interval[1] > 1  # which a linear scale does not give


def test_a_paired_value_needs_its_rows_and_one_a_seed():
    table = pd.DataFrame({"kind": list("aabb"), "seed": [1, 0, 0, 0], "value": [1.0, 2.0, 3.0, 4.0]})
    assert by_seed(table, "value", kind="a").tolist() == [2.0, 1.0]
    assert len(select(table, kind=["a", "b"])) == 4
    with pytest.raises(KeyError):
        by_seed(table, "value", kind="c")
    with pytest.raises(ValueError, match="several"):
        by_seed(table, "value", kind="b")


def test_the_best_setting_is_the_mean_over_seeds_and_an_edge_is_named():
    rows = [("a", 1, 0, 5.0), ("a", 1, 1, 1.0), ("a", 2, 0, 2.0), ("a", 2, 1, 2.0),
            ("a", 3, 0, np.nan), ("a", 3, 1, 0.0), ("b", 1, 0, 1.0), ("b", 2, 0, 2.0)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["rule", "rate", "seed", "loss"])
    chosen = best(table, "rate", "loss", by=["rule"])
    assert chosen.to_dict("records") == [
        {"rule": "a", "rate": 2, "edge": False},
        {"rule": "b", "rate": 1, "edge": True},
    ]
    assert best(table, "rate", "loss", by=["rule"], largest=True)["rate"].tolist() == [1, 2]


def test_charts_show_mean_range_and_interval(toy):
    toy(GAINS["yes"])
    say = Say("toy_lab", "en")
    table = pd.DataFrame([
        {"kind": kind, "seed": seed, "step": step, "score": step + seed}
        for kind in ("old", "new") for seed in (0, 2) for step in (1, 2)
    ])  # fmt: skip
    _, axes = new_figure(1, 2)
    charts.curves(axes[0, 0], table, "step", "score", "kind", say, keys=["new"])
    (line,) = axes[0, 0].lines
    assert line.get_label() == "new"
    assert line.get_xydata().tolist() == [[1, 2], [2, 3]]
    charts.dots(axes[0, 1], table[table["step"] == 1], "score", "kind", say)
    assert [tick.get_text() for tick in axes[0, 1].get_yticklabels()] == ["old", "new"]


def test_axes_have_decimal_commas_and_keep_their_limits():
    figure, axes = new_figure()
    axes[0, 0].plot([0, 0.5, 1], [0.1, 0.2, 0.4])
    limits = axes[0, 0].get_xlim(), axes[0, 0].get_ylim()
    with_decimal_commas(figure, "pt-BR")
    ticks = [text.get_text() for text in axes[0, 0].get_xticklabels()]
    assert any("," in text for text in ticks)
    assert not any("." in text for text in ticks)
    assert (axes[0, 0].get_xlim(), axes[0, 0].get_ylim()) == limits


def test_a_named_tick_is_left_as_it_was_named():
    figure, axes = new_figure()
    axes[0, 0].plot([0, 4000], [0, 1])
    axes[0, 0].set_xticks([4000], ["4.000"])
    with_decimal_commas(figure, "pt-BR")
    assert [text.get_text() for text in axes[0, 0].get_xticklabels()] == ["4.000"]


def test_a_finding_is_plain_data():
    assert Finding("k", 1.0, (0.5, 1.5), 0.0, "above").supported == "yes"
    assert LANGUAGES == ("pt-BR", "en")
