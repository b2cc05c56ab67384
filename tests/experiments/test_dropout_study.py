"""The lecture's exercise on the embedded digits: what is measured, that a seed repeats it, and that it can say no."""

from dataclasses import replace

import pandas as pd
import pytest

from hf_llm.experiments.dropout_study import curves, other_setting
from hf_llm.experiments.dropout_study.curves import HALF, Size
from hf_llm.experiments.frame.findings import Finding
from hf_llm.experiments.frame.lab import Say
from hf_llm.experiments.frame.study import Study
from hf_llm.experiments.shared import dropout_settings
from hf_llm.experiments.shared.dropout_settings import (
    IMAGES,
    NARROW,
    WIDE,
    Setting,
    gain,
    measure_settings,
    with_one_factor_of,
)
from hf_llm.experiments.shared.image_runs import ImageParts
from hf_llm.texts import LANGUAGES

TINY = {"few": Size(100, 1, 24, 3, [0.0, HALF]), "all": Size(None, 1, 24, 3, [0.0, HALF])}
STUDY = Study(range(2), quick=True, data="digits")


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "QUICK", TINY)
        return curves.measure(STUDY)


def supported(findings: list[Finding]) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_every_cell_is_in_the_tables(tables):
    cells = tables["test"][["images", "dropout", "seed"]].itertuples(index=False, name=None)
    assert list(cells) == [(images, p, seed) for images in (100, 1198) for p in (0.0, HALF) for seed in (0, 1)]
    assert list(tables["curves"]["step"]) == 8 * [8, 16, 24]
    assert not any(table.isna().any(axis=None) for table in tables.values())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_figure_shows_loss_and_accuracy_without_and_with_dropout(tables, lang):
    figure = curves.draw(tables, Say("dropout_study", lang))
    assert len(figure.axes) == 2 * len(TINY)
    for axis in figure.axes:
        assert len(axis.lines) == 4  # without and with dropout, on validation and in training
    assert len(curves.draw_by_dropout(tables, Say("dropout_study", lang)).axes) == 2 * len(TINY)


def test_a_seed_repeats_it(tables, monkeypatch):
    monkeypatch.setattr(curves, "QUICK", TINY)
    for name, again in curves.measure(STUDY).items():
        pd.testing.assert_frame_equal(tables[name], again, check_exact=True)


def test_the_end_the_gap_and_the_rise_come_from_the_curve(tables):
    changed = {name: table.copy() for name, table in tables.items()}
    one = (changed["curves"]["size"] == "few") & (changed["curves"]["dropout"] == 0) & (changed["curves"]["seed"] == 1)
    changed["curves"].loc[one, "validation_loss"] = [0.5, 0.2, 0.6]
    changed["curves"].loc[one, "train_loss"] = [0.3, 0.2, 0.1]
    end = curves.at_the_end(changed).set_index(["size", "dropout", "seed"]).loc["few", 0.0, 1]
    assert end["gap"] == pytest.approx(0.5)
    assert end["rise"] == pytest.approx(0.4)


def made_up(gains: dict[float, float], gap: float) -> dict[str, pd.DataFrame]:
    """Return tables of two seeds in which dropout p adds gains[p] to all accuracies and `gap` to the gap."""
    points, tests = [], []
    for size in TINY:
        for p in (0.0, *gains):
            for seed in (0, 1):
                cell, more = {"size": size, "dropout": p, "seed": seed}, gains.get(p, 0.0) + 1e-5 * seed * (p > 0)
                points.append({
                    **cell, "step": 8, "train_loss": 0.1, "train_accuracy": 1.0, "validation_accuracy": 0.9 + more,
                    "validation_loss": 0.2 + (gap + 1e-5 * seed if p else 0),
                })  # fmt: skip
                tests.append({**cell, "images": 100, "steps": 8, "test_loss": 0.2, "test_accuracy": 0.9 + more})
    return {"curves": pd.DataFrame(points), "test": pd.DataFrame(tests)}


@pytest.mark.parametrize(("added", "verdict"), [(0.01, "yes"), (-0.01, "no"), (0.0, "inconclusive")])
def test_the_verdict_follows_the_data(added, verdict):
    tables = made_up({HALF: added}, gap=-0.05)
    if added == 0.0:
        for size, seed in (("few", 1), ("all", 0)):
            row = (tables["test"]["size"] == size) & (tables["test"]["dropout"] > 0) & (tables["test"]["seed"] == seed)
            tables["test"].loc[row, "test_accuracy"] -= 0.01
    found = {finding.key: finding for finding in curves.findings(tables)}
    for size in TINY:
        assert found[f"{size}_gain"].supported == verdict
        assert found[f"{size}_gap"].supported == "yes"
        assert found[f"{size}_gap"].value == pytest.approx(0.05, abs=1e-4)


def test_validation_chooses_the_dropout_and_too_much_is_seen():
    tables = made_up({0.3: 0.02, HALF: 0.01, 0.7: -0.01}, gap=0.0)
    assert curves.chosen_dropout(curves.at_the_end(tables), "few") == 0.3
    assert supported(curves.findings(tables))["few_too_much"] == "yes"
    tables = made_up({0.3: -0.01, HALF: 0.01, 0.7: 0.02}, gap=0.0)  # the largest is the chosen one
    assert supported(curves.findings(tables))["few_too_much"] == "no"


def test_one_factor_at_a_time_lies_between_the_two_settings():
    moved = with_one_factor_of(WIDE, NARROW)
    assert moved["width"] == replace(WIDE, width=NARROW.width)
    for setting in moved.values():
        fields = [getattr(setting, name) != getattr(WIDE, name) for name in moved]
        assert sum(fields) == 1


def test_the_exercises_own_net_is_the_wide_setting():
    how = curves.FULL["few"]
    assert how.images == IMAGES
    assert how.steps(IMAGES) == WIDE.steps
    assert {0.0, WIDE.dropout} <= set(how.dropouts)


def test_the_settings_train_with_the_exercises_numbers(monkeypatch):
    """What the shared code trains is the exercise's own net, bit for bit, so that the two can be compared."""
    wide = Setting(16, 24, "falling", HALF)
    monkeypatch.setattr(dropout_settings, "IMAGES", 200)
    monkeypatch.setattr(curves, "WIDE", wide)
    monkeypatch.setattr(curves, "QUICK", {"few": Size(200, 1, 24, 3, [0.0, HALF])})
    own = curves.measure(STUDY)["test"]
    table = measure_settings(ImageParts.read("digits"), [wide], STUDY.seeds, STUDY.track)
    assert list(table["test_accuracy"]) == list(own["test_accuracy"])
    assert gain(table, wide) == pytest.approx(
        100 * (own["test_accuracy"][own["dropout"] > 0].to_numpy() - own["test_accuracy"][own["dropout"] == 0])
    )


def test_width_is_named_as_the_cause_only_where_the_narrow_net_gains_less():
    tables = made_up({HALF: 0.012}, gap=0.0)
    settings = [
        {**vars(setting), "dropout": p, "seed": seed, "test_accuracy": 0.9 + 1e-4 * seed * (p > 0)}
        for setting in other_setting.SETTINGS.values() for p in (0.0, setting.dropout) for seed in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(settings).drop_duplicates([*vars(NARROW), "seed"])
    assert supported(other_setting.findings({**tables, "settings": table}))["width_matters"] == "yes"
    narrow = (table["width"] == NARROW.width) & (table["dropout"] == HALF)
    table.loc[narrow, "test_accuracy"] += 0.02
    assert supported(other_setting.findings({**tables, "settings": table}))["width_matters"] == "no"
