"""The cards of what is pushed, by the rules that the Hub holds metadata to, and with what a reader looks for."""

import math
import re

import pytest
import yaml
from huggingface_hub import ModelCard
from test_push import contents, succeeded

TASKS = {
    "verdict": "text-generation", "mlp": "image-classification", "spam": "text-classification",
    "further": "text-generation", "tokenizer": None,
}  # fmt: skip
ON_THE_SAMPLE = ("verdict", "further")  # were trained


@pytest.fixture(params=sorted(TASKS))
def pushed(request, hub, scripts, runs) -> tuple[str, str]:
    """What was pushed, and its card."""
    succeeded(scripts("hub.py", "push", runs / request.param, f"me/{request.param}"))
    return request.param, contents(hub, f"me/{request.param}")["README.md"].decode("utf-8")


def test_the_metadata_is_what_the_hub_takes(pushed):
    name, card = pushed
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["license"] == "apache-2.0"
    assert metadata["library_name"] == "transformers"
    assert metadata.get("pipeline_tag") == TASKS[name]
    assert all(isinstance(tag, str) for tag in metadata["tags"])
    assert metadata.get("language") == (["pt", "en"] if name in ON_THE_SAMPLE else None)
    assert str(ModelCard(card)).startswith("---\n")  # the Hub's own reader takes it, and writes it again


def test_figures_are_results_with_task_data_set_and_metric(pushed):
    name, card = pushed
    metadata = yaml.safe_load(card.split("---\n")[1])
    if TASKS[name] is None:
        assert "model-index" not in metadata
        return
    (model,) = metadata["model-index"]
    assert model["name"] == name
    for result in model["results"]:
        assert result["task"]["type"] == TASKS[name]
        assert result["dataset"]["type"]
        assert result["dataset"]["name"]
        assert result["dataset"]["split"] in ("validation", "test")
        for metric in result["metrics"]:
            assert metric["type"]
            assert math.isfinite(metric["value"])
    assert ModelCard(card).data.eval_results


def test_it_says_how_to_use_it_where_it_ends_and_the_same_in_portuguese(pushed):
    name, card = pushed
    assert f'"me/{name}"' in card.split("```")[1]
    assert "## Limits" in card
    assert "## Em português" in card
    if TASKS[name]:
        for section in ("## Results", "## Data and training", "## How to reproduce", "| held out | "):
            assert section in card


def test_numbers_are_written_as_each_language_writes_them(runs):
    card = (runs / "verdict" / "README.md").read_text(encoding="utf-8")
    english, portuguese = card.split("## Em português")
    parameters = re.search(r"A GPT-2 with ([\d,]+) parameters", english)[1]
    assert "," in parameters
    assert f"Um GPT-2 de {parameters.replace(',', '.')} parâmetros" in portuguese
