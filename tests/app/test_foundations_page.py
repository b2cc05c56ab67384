"""The foundations page: every lab and every example has its texts, its figure and a way to it."""

from pathlib import Path

import pytest

from hf_llm.app.pages.foundations import answers as page
from hf_llm.app.server.results import committed
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import text

RESULTS = Path(__file__).parents[2] / "results"


def test_the_labs_are_experiments():
    assert {"backprop", "optimizers", "dropout-study"} <= set(page.LABS) <= set(EXPERIMENTS)
    assert "relu-depth" not in page.LABS


@pytest.mark.parametrize("name", page.EXAMPLES)
@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_an_example_shows_why_and_its_figure(app, monkeypatch, name, lang):
    example = page.EXAMPLES[name]
    monkeypatch.setattr(app.config, "results", str(RESULTS))
    shown = page.show_example(app, example=name, lang=lang)
    assert text(f"foundations.why.{name}", lang)[:20] in shown
    assert example.figure in committed(str(RESULTS), example.lab).values["figures"]
    assert "data:image/png" in shown
    assert f'data-choose="{example.lab}"' in shown
    assert example.lab in page.LABS


def test_without_results_an_example_says_so(app, monkeypatch, tmp_path):
    monkeypatch.setattr(app.config, "results", str(tmp_path))
    assert "not in this copy" in page.show_example(app, example="dead_relu", lang="en")


def test_its_button_opens_the_lab(app):
    assert page.open_lab(app, choice="losses", lang="en") == "losses"
