"""The exercise on the embedded digits: what it gives back, that a seed repeats it, and that it can say no."""

import json

import numpy as np
import pytest

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.dropout import lab as dropout
from hf_llm.experiments.dropout.lab import Grid, findings, run
from hf_llm.experiments.report import result_as_dict

TINY = Grid({"few": 100, "all": None}, (0.0, 0.5), {"few": 1, "all": 1}, least_steps=24, evaluations=3)


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropout, "QUICK", TINY)
        return run(ExperimentConfig(output_dir="", quick=True, data="digits"), lambda *_: None)


def test_every_cell_is_in_the_tables(result):
    assert result.seeds == [0, 1]
    assert [(row["images"], row["dropout"]) for row in result.tables["summary"].rows] == [
        (100, 0.0), (100, 0.5), (1198, 0.0), (1198, 0.5),
    ]  # fmt: skip
    curves = result.tables["curves"].rows
    assert [row["step"] for row in curves[:3]] == [8, 16, 24]
    assert len(curves) == 4 * 3
    for row in curves:
        assert row["train_loss_low"] <= row["train_loss"] <= row["train_loss_high"]
    json.dumps(result_as_dict(result), allow_nan=False)


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_both_figures_can_be_drawn(result, language):
    for name in ("loss", "accuracy", "gap", "test"):
        assert len(result.charts[name].draw(language).axes) == 2


def test_a_seed_repeats_it(result, monkeypatch):
    monkeypatch.setattr(dropout, "QUICK", TINY)
    again = run(ExperimentConfig(output_dir="", quick=True, data="digits"), lambda *_: None)
    assert result_as_dict(again) == result_as_dict(result)


def made_up(test_accuracy, gap):
    """Return runs of two seeds whose dropout changes the test accuracy and the gap as told."""
    return {
        (size, p, seed): {
            "test_accuracy": 0.9 + 0.001 * seed + (test_accuracy + 1e-5 * seed if p else 0),
            "validation_accuracy": [0.9], "train_loss": [0.1],
            "validation_loss": [0.2 + (gap + 1e-5 * seed if p else 0)],
        }
        for size in TINY.images for p in TINY.dropouts for seed in (0, 1)
    }  # fmt: skip


@pytest.mark.parametrize(("gain", "verdict"), [(0.01, "yes"), (-0.01, "no"), (0.0, "unclear")])
def test_the_verdict_follows_the_data(gain, verdict):
    runs = made_up(gain, gap=-0.05)
    if gain == 0.0:
        runs["few", 0.5, 1]["test_accuracy"] -= 0.01
        runs["all", 0.5, 0]["test_accuracy"] -= 0.01
    found = findings(runs, TINY, [0, 1])
    said = [finding.supported for finding in found if "picks gets more" in finding.claim.en]
    assert said == [verdict] * 2
    narrower = [finding for finding in found if "closer" in finding.claim.en]
    assert [finding.supported for finding in narrower] == ["yes"] * 2
    assert np.isclose(narrower[0].value, 0.05, atol=1e-4)
