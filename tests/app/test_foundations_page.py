"""The foundations page: every lab and every example has its words, its figure and a way to it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hf_llm.app.pages import foundations as page
from hf_llm.app.texts import text
from hf_llm.experiments.config import EXPERIMENTS

RESULTS = Path(__file__).parents[2] / "results"


def test_the_labs_are_experiments():
    assert {"backprop", "optimizers", "dropout"} <= set(page.LABS) <= set(EXPERIMENTS)
    assert "relu-depth" not in page.LABS


@pytest.mark.parametrize("name", page.EXAMPLES)
@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_an_example_shows_why_and_its_figure(app, monkeypatch, name, lang):
    monkeypatch.setattr(app.config, "results", str(RESULTS))
    shown = page.show_example(app, name, lang)
    assert text(f"foundations.{name}_why", lang)[:20] in shown
    assert "data:image/png" in shown
    assert f'data-choose="{page.EXAMPLES[name].lab}"' in shown
    assert page.EXAMPLES[name].lab in page.LABS


def test_without_results_an_example_says_so(app, monkeypatch, tmp_path):
    monkeypatch.setattr(app.config, "results", str(tmp_path))
    assert "not in this copy" in page.show_example(app, "dead_relu", "en")


def test_its_button_opens_the_lab():
    assert page.open_lab(SimpleNamespace(choice="losses"), "en") == "losses"
