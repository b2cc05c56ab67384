"""What the pages show of an experiment: its numbers in the reader's language, and a run that can be ended."""

import base64
import json
import re
from pathlib import Path

import pytest

import hf_llm.app.quick_run as quick
from hf_llm.app.report_views import introduction, report
from hf_llm.app.results import committed, read_result
from hf_llm.app.study import run_quick, show_full
from hf_llm.config import UserError

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture
def saved():
    return committed(str(RESULTS), "dropout", "en")


@pytest.mark.parametrize(("lang", "mark"), [("pt-BR", ","), ("en", ".")])
def test_each_finding_is_shown_with_its_value_and_interval(saved, lang, mark):
    shown = report(saved, lang)
    for finding in saved.values["findings"]:
        assert finding["claim"][lang] in shown
        low = f"{finding['interval'][0]:.4g}".replace(".", mark).replace("-", "−")
        assert f"[{low};" in shown
    assert saved.values["caveats"][1][lang].split("*")[0] in shown


def test_the_figures_are_those_of_the_language(saved):
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', report(saved, "pt-BR"))
    files = [RESULTS / "dropout-study" / "figures" / f"{chart}.pt-BR.png" for chart in saved.values["charts"]]
    assert [base64.b64decode(image) for image in images] == [file.read_bytes() for file in files]


def test_the_saved_data_are_the_results(saved):
    links = dict(re.findall(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', report(saved, "en")))
    rows = json.loads(base64.b64decode(links["dropout-summary.json"]))
    assert [row["test_accuracy"] for row in rows] == [
        row["test_accuracy"] for row in saved.values["tables"]["summary"]["rows"]
    ]
    assert rows[0]["size"] == saved.values["tables"]["summary"]["rows"][0]["size"]["en"]
    assert json.loads(base64.b64decode(links["dropout.json"])) == saved.values


def test_a_missing_figure_and_no_results_meet_a_sentence(saved, app, tmp_path, monkeypatch):
    (tmp_path / "result.json").write_text(json.dumps(saved.values), encoding="utf-8")
    assert "A figure is missing here" in report(read_result(tmp_path, "en"), "en")
    assert introduction(saved, "en").startswith("## The exercise")
    monkeypatch.setattr(app.config, "results", str(tmp_path))
    title, shown = show_full(app, "losses", "pt-BR")
    assert title == ""
    assert "não está nesta cópia" in shown
    assert "python scripts/discuss.py losses --output_dir results/losses" in shown


def test_a_damaged_result_is_said(tmp_path):
    (tmp_path / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        read_result(tmp_path, "en")


@pytest.mark.slow
def test_the_short_version_runs_and_is_reported(app):
    *progress, last = run_quick(app, "backprop", "en")
    assert any("% done" in shown for shown in progress)
    assert "Backpropagation by hand" in last
    assert "This is the short version" in last
    assert "python scripts/discuss.py backprop --quick --output_dir runs/discuss/backprop" in last


def test_a_run_that_is_left_ends_its_process(tmp_path):
    run = quick.quick_run("dropout", str(tmp_path), 60, "en")
    assert next(run) == (0, 0)
    (process,) = quick.multiprocessing.active_children()
    run.close()
    assert not process.is_alive()


def test_a_run_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(UserError, match="segundos"):
        list(quick.quick_run("dropout", str(tmp_path), 0, "pt-BR"))
    assert not quick.multiprocessing.active_children()


def test_only_experiments_run(app):
    (shown,) = run_quick(app, "../../etc", "pt-BR")
    assert "Não há um experimento com esse nome" in shown
