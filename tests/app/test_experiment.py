"""What the pages show of an experiment: its numbers in the reader's language, and a run that can be ended."""

import base64
import json
import pickle
import re
import sys
from pathlib import Path

import psutil
import pytest
from saved_results import CURRENT

import hf_llm.app.server.quick_run as quick
from hf_llm.app.pages.experiment.answers import run_quick, show_full
from hf_llm.app.pages.experiment.views import report
from hf_llm.app.server.results import committed, read_result
from hf_llm.config import UserError
from hf_llm.texts import both

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture
def saved():
    return committed(str(RESULTS), CURRENT)


def plain(html: str) -> str:
    return re.sub("<[^>]+>", "", html)


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_the_answer_comes_first_and_each_finding_is_shown_with_its_verdict(saved, lang):
    shown = plain(report(saved, lang)).replace("&#x27;", "'").replace("&quot;", '"')
    values = saved.values
    positions = [shown.index(values["question"][lang]), shown.index(re.sub("[*`]", "", values["answer"][lang]))]
    for finding in [*values["findings"], *values["timings"]["findings"]]:
        claim = re.sub("[*`]", "", finding["claim"][lang])
        assert f"· {claim}" in shown
        if finding["key"] in values["shown"]:
            positions.append(shown.index(claim))
    assert positions[:3] == sorted(positions[:3])
    assert all(re.sub("[*`]", "", limit[lang]) in shown for limit in values["limits"])


def test_the_figures_are_those_of_the_language(saved):
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', report(saved, "pt-BR"))
    files = [RESULTS / CURRENT / "figures" / f"{name}.pt-BR.png" for name in saved.values["figures"]]
    assert [base64.b64decode(image) for image in images] == [file.read_bytes() for file in files]


def test_the_saved_data_are_the_results(saved):
    links = dict(re.findall(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', report(saved, "en")))
    for name in saved.values["tables"]:
        assert base64.b64decode(links[f"{name}.csv"]) == (RESULTS / CURRENT / "tables" / f"{name}.csv").read_bytes()
    assert json.loads(base64.b64decode(links[f"{CURRENT}.json"])) == saved.values


def test_the_rows_of_a_table_are_numbers_where_they_can_be(saved, tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.csv").write_text("size,p,seed\nfew,0.5,1\n")
    assert type(saved)(tmp_path, {}).rows("t") == [{"size": "few", "p": 0.5, "seed": 1.0}]


def test_a_missing_figure_and_no_results_are_named(saved, app, tmp_path, monkeypatch):
    (tmp_path / "result.json").write_text(json.dumps(saved.values), encoding="utf-8")
    assert "A figure is missing here" in report(read_result(tmp_path), "en")
    monkeypatch.setattr(app.config, "results", str(tmp_path))
    shown = show_full(app, "losses", "pt-BR")
    assert "não está nesta cópia" in shown
    assert "hf-llm discuss losses --output_dir results/losses" in shown


@pytest.mark.parametrize("content", ["{", "[]", '{"findings": []}'])
def test_a_damaged_result_is_said(tmp_path, content):
    (tmp_path / "result.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        read_result(tmp_path)


@pytest.mark.slow
def test_the_short_version_runs_and_is_reported(app):
    *progress, last = run_quick(app, "backprop", "en")
    assert any("% done" in shown for shown in progress)
    assert "Backpropagation" in last
    assert "This is the short version" in last
    assert "hf-llm discuss backprop --quick --output_dir runs/discuss/backprop" in last


def test_a_run_that_is_left_ends_its_process(tmp_path):
    run = quick.quick_run("backprop", str(tmp_path), 60)
    assert next(run) == (0, 0)
    (process,) = quick.multiprocessing.active_children()
    if sys.platform != "win32":
        assert psutil.Process(process.pid).nice() > psutil.Process().nice()  # the pages come first
    run.close()
    assert not process.is_alive()


def test_a_run_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(UserError) as ended:
        list(quick.quick_run("backprop", str(tmp_path), 0))
    assert "segundos" in ended.value.in_language("pt-BR")
    assert not quick.multiprocessing.active_children()


def test_an_error_keeps_its_languages_on_the_way_from_the_process():
    error = pickle.loads(pickle.dumps(UserError(both("experiment.failed", command="x"))))
    assert error.in_language("pt-BR").startswith("O experimento falhou")
    assert error.in_language("en").startswith("The experiment failed")


def test_only_experiments_run(app):
    (shown,) = run_quick(app, "../../etc", "pt-BR")
    assert "Não há nenhum experimento com esse nome" in shown
