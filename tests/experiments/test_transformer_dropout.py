"""Dropout in a Transformer: each site drops alone, both modes are what is said of them, verdicts follow the data."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.module_tracker import ModuleTracker

from hf_llm.data import read_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.frame.study import Study, Tables, select
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.experiments.transformer_dropout import library, modes, places, training
from hf_llm.experiments.transformer_dropout.lab import LAB, settings
from hf_llm.experiments.transformer_dropout.library import NoteDropout, dropouts
from hf_llm.experiments.transformer_dropout.passes import bits_per_byte, compare_modes, dropping_passes, entropy
from hf_llm.experiments.transformer_dropout.sites import READINGS, SETTINGS, SITES, dropping_gpt2, modules_at
from hf_llm.experiments.transformer_dropout.training import (
    QUICK,
    JudgedOnAllParts,
    train_cell,
    whole_windows,
)
from hf_llm.tokenization.byte_lengths import token_byte_lengths

SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 16}
TINY = replace(
    QUICK, shape=SHAPE, steps=4, evaluations=2, passes=3, vocab_size=300, training=QUICK.training | {"warmup_steps": 0}
)
VOCAB = {"vocab_size": 300}


@pytest.fixture(scope="module", autouse=True)
def tiny_on_the_sample(only_the_sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "QUICK", TINY)
        yield


@pytest.fixture(scope="module")
def parts() -> TextParts:
    return TextParts.read("the-verdict", TINY.vocab_size)


@pytest.fixture(scope="module")
def library_tables() -> Tables:
    return library.measure(Study(range(1), quick=True))


@pytest.fixture(scope="module")
def measured() -> list[Tables]:
    return [places.measure(Study(range(2), quick=True)) for _ in range(2)]


def verdicts(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_the_tables_hold_the_whole_grid_and_a_seed_repeats_them(measured):
    one, again = measured
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)
    runs = places.runs(one)
    assert [(row.setting, row.p) for row in select(runs, seed=1).itertuples()] == [
        ("none", 0.0), *((setting, 0.3) for setting in SETTINGS)
    ]  # fmt: skip
    assert one["curves"].groupby(places.RUN).size().unique().tolist() == [TINY.evaluations]
    assert one["next_token"].groupby("setting").size().to_dict() == dict.fromkeys((*SITES, "all"), 8 * TINY.passes)


def test_all_findings_come_out_of_the_tables(measured, library_tables):
    tables = measured[0] | library_tables
    keys = [finding.key for finding in LAB.findings(tables)]
    assert len(set(keys)) == len(keys)
    assert set(LAB.shown) <= set(keys)
    assert places.strength(tables)["setting"].tolist() == ["none", *SETTINGS]


def test_the_sample_takes_the_place_of_a_missing_text_and_the_settings_say_so():
    assert settings(Study(range(1), quick=True))["data"] == "sample"


def test_the_three_parts_are_the_text(parts):
    text = read_text("sample").text
    decoded = [parts.corpus.tokenizer.decode(ids[1:]) for ids in parts.ids.values()]
    assert "".join(decoded) == text
    assert [round(len(part) / len(text), 2) for part in decoded] == [0.8, 0.1, 0.1]


@pytest.mark.parametrize("setting", SETTINGS)
def test_dropout_acts_at_the_sites_of_the_setting_and_nowhere_else(setting):
    model = dropping_gpt2(SHAPE | VOCAB, setting, 0.25, seed=0).train()
    modules = dict(model.named_modules())
    inputs = torch.randint(300, (1, 7))
    with ModuleTracker() as tracker, NoteDropout(tracker) as noted:
        model(inputs)
    active = {(path.partition(".")[2], p) for path, shape, p in noted.calls if p > 0 and shape[-2:] != (7, 7)}
    assert active == {
        (name, 0.25)
        for site in set(SETTINGS[setting]) - {"attention"}
        for name, module in modules.items()
        if module in modules_at(model, site)
    }
    weights = [p for _, shape, p in noted.calls if shape[-2:] == (7, 7)]
    assert weights == [0.25 if "attention" in SETTINGS[setting] else 0.0] * SHAPE["n_layer"]


def test_sites_have_the_modules_that_gpt2_has():
    model = dropping_gpt2(SHAPE | VOCAB, "all", 0.5, seed=0)
    assert [len(modules_at(model, site)) for site in SITES] == [1, 2, 2, 2]
    dropouts_of_model = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    assert {module for site in SITES for module in modules_at(model, site)} == set(dropouts_of_model)


def test_each_reading_of_the_lecture_and_the_rest_make_up_all_sites():
    for end in READINGS:
        lecture, rest = set(SETTINGS[f"lecture_{end}"]), set(SETTINGS[f"rest_{end}"])
        assert lecture == {end, "feed_forward"}
        assert lecture | rest == set(SITES)
        assert not lecture & rest


def test_every_setting_starts_from_the_same_weights():
    one, other = (dropping_gpt2(SHAPE | VOCAB, setting, 0.5, seed=3).state_dict() for setting in ("all", "embedding"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_without_dropout_both_modes_are_one_and_with_it_they_are_not():
    windows = torch.randint(300, (3, 17), generator=torch.Generator().manual_seed(0))
    lengths = np.full(300, 2)
    calm = compare_modes(dropping_gpt2(SHAPE | VOCAB, "all", 0.0, seed=0), windows, lengths, passes=4)
    assert calm["training"] == calm["evaluation"] == pytest.approx(calm["averaged"], abs=1e-6)
    assert (calm["spread"], calm["same_token"], calm["repeated"]) == (0, 1, 0)
    assert calm["row_off"] < 1e-6
    model = dropping_gpt2(SHAPE | VOCAB, "all", 0.5, seed=0)
    before = torch.random.get_rng_state()
    dropped = compare_modes(model, windows, lengths, passes=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert model.training
    assert dropped["evaluation"] == calm["evaluation"]
    assert dropped["repeated"] == 0
    assert dropped["training"] != dropped["evaluation"]
    assert dropped["spread"] > 0
    assert dropped["same_token"] < 1
    assert dropped["row_off"] > 0.1
    assert dropped["entropy_averaged"] > dropped["entropy_of_pass"]  # Jensen
    assert dropped["averaged"] < dropped["training"]  # Jensen, too
    assert dropped == compare_modes(model, windows, lengths, passes=4)


def test_a_row_of_attention_weights_adds_up_to_one_on_average_only():
    model = dropping_gpt2(SHAPE | VOCAB, "attention", 0.5, seed=0)
    sums = torch.stack([each.row_sums for each in dropping_passes(model, torch.randint(300, (4, 16)), passes=50)])
    first = sums[..., 0]  # a token that sees only itself keeps all or nothing
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert abs(sums.mean().item() - 1) < 0.02


def test_bits_per_byte_are_those_of_the_repository(parts):
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.corpus.tokenizer)}, "all", 0.3, seed=0).eval()
    ids = parts.ids["test"][: 3 * 16 + 1]
    (one,) = dropping_passes(dropping_gpt2({**SHAPE, "vocab_size": len(parts.corpus.tokenizer)}, "all", 0.0, seed=0),
                             whole_windows(ids, 16)[:, :-1], passes=1)  # fmt: skip
    ours = bits_per_byte(one.logs, whole_windows(ids, 16)[:, 1:].flatten(), token_byte_lengths(parts.corpus.tokenizer))
    theirs = evaluate_tokens(
        model, ids, token_byte_lengths(parts.corpus.tokenizer), stride=16, context=16
    ).bits_per_byte
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_entropy_of_equal_chances_is_their_logarithm():
    assert entropy(torch.full((3, 8), math.log(1 / 8))) == pytest.approx(3)


def test_windows_tile_the_text():
    windows = whole_windows(np.arange(11), 5)
    assert windows.tolist() == [[0, 1, 2, 3, 4, 5], [5, 6, 7, 8, 9, 10]]


def test_looking_does_not_change_the_training(parts):
    (often, modes_often), (once, modes_once) = (
        train_cell(parts, replace(TINY, evaluations=evaluations), "all", 0.3, seed=0) for evaluations in (4, 1)
    )
    assert [point["step"] for point in often] == [1, 2, 3, 4]
    assert often[-1] == once[-1]
    assert modes_often == modes_once


def test_a_model_is_judged_without_dropping_and_reported_with_it(parts):
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.corpus.tokenizer)}, "all", 0.5, seed=0)
    dropping = JudgedOnAllParts(model, parts, TINY, seed=0).evaluate(model)
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.corpus.tokenizer)}, "all", 0.0, seed=0)
    calm = JudgedOnAllParts(model, parts, TINY, seed=0).evaluate(model)
    assert {name for name in calm if calm[name] != dropping[name]} == {"train_dropping"}
    # the excerpt of the training text is as long as the validation part, give or take a window
    assert calm["train_dropping"] == pytest.approx(calm["train"], abs=0.02)


def test_the_library_is_counted_as_it_runs(library_tables):
    table = library_tables["library"].set_index("family")
    assert table["elsewhere"].isna().all()
    assert table.loc["gpt2", "active"] == 1 + 12 * 3
    assert table.loc["gpt2", ["lecture_projection", "lecture_attention"]].tolist() == [24 / 37, 24 / 37]
    # encoder and decoder, 6 layers each: attention, feed-forward with one dropout inside; both ends of both
    assert table.loc["t5", "active"] == 6 * (2 + 2) + 6 * (4 + 2) + 4
    assert table.loc["t5", list(library.PLACES)].tolist() == [0.1] * 5
    assert table.loc["llama", ["attention", "active"]].tolist() == [0.0, 0]
    assert np.isnan(table.loc["llama", "projection"])
    said = verdicts(library.findings(library_tables))
    assert said == {
        "mostly_lecture_projection": "yes", "mostly_lecture_attention": "yes", "nowhere_else": "no",
        "today_without": "yes",
    }  # fmt: skip
    shown = library.summary(library_tables)
    assert shown.loc[shown["family"] == "llama", "projection"].item() is None


def test_a_dropout_that_a_configuration_asks_for_is_seen(monkeypatch):
    from transformers import AutoConfig

    real = AutoConfig.for_model
    monkeypatch.setattr(AutoConfig, "for_model", lambda name: real(name, attn_pdrop=0.4, resid_pdrop=0.0))
    assert set(dropouts("gpt2")) == {("attention", 0.4), ("projection", 0.0), ("feed_forward", 0.0), ("embedding", 0.1)}


def made_up(gain) -> Tables:
    """Return runs of two seeds in which `gain(setting, p)` is what dropout saves on validation and on the test."""
    curves, both = [], []
    grid = [("none", 0.0), *((setting, p) for setting in SETTINGS for p in (0.1, 0.3, 0.5))]
    for setting, p in grid:
        for seed in (0, 1):
            saved = gain(setting, p) + 1e-5 * seed * p if p else 0.0
            described = {"setting": setting, "p": p, "seed": seed}
            points = {
                "step": [1, 2, 3], "train": [3.0, 2.5, 2.0 + p],
                "train_dropping": [3.0, 2.6, 2.1 + p * (1 + 1e-4 * seed)],
                "validation": [3.1, 2.9 - saved, 3.3 + 0.01 * seed], "test": [3.0, 2.8 - saved + 0.01 * seed, 3.2],
            }  # fmt: skip
            curves += [described | dict(zip(points, point)) for point in zip(*points.values())]
            both.append(described | {
                "evaluation": 3.2, "training": 3.2 + p * (1 + 1e-4 * seed), "averaged": 3.1 + 1e-4 * seed,
                "repeated": 0.0, "row_off": p, "row_sum": 1.001, "same_token": 0.9 - p * (1 + 1e-4 * seed),
            })  # fmt: skip
    return {"curves": pd.DataFrame(curves), "modes": pd.DataFrame(both)}


def test_the_verdicts_on_places_follow_the_runs():
    worth = {"lecture_projection": 0.2, "rest_projection": 0.1, "all": 0.05, "embedding": -0.1, "attention": 0.02}
    worth |= {"lecture_attention": 0.1, "rest_attention": 0.2}
    tables = made_up(lambda setting, p: worth.get(setting, 0.03) * (1 - p))
    said = verdicts(places.findings(tables))
    assert [said[f"helps_{setting}"] for setting in ("embedding", "attention")] == ["no", "yes"]
    assert [said[f"lecture_over_rest_{end}"] for end in READINGS] == ["yes", "no"]
    assert said["all_over_lecture"] == "no"
    assert said["every_site_closes_gap"] == said["closes_gap"] == "yes"
    assert said["worth"] == "yes"
    assert said["largest_p_is_too_much"] == "no"
    # on the test, from the step that validation picks
    (overfits,) = (finding for finding in places.findings(tables) if finding.key == "overfits")
    assert overfits.supported == "yes"
    assert overfits.value == pytest.approx(3.2 - 2.805)
    small = verdicts(places.findings(made_up(lambda setting, p: 0.04 - p / 100)))
    assert (small["worth"], small["helps_all"]) == ("no", "yes")


def test_validation_picks_and_the_test_judges():
    tables = made_up(lambda setting, p: 0.1)
    curves = tables["curves"]
    at = {p: (curves["setting"] == "all") & (curves["p"] == p) & (curves["step"] == 2) for p in (0.1, 0.3)}
    curves.loc[at[0.3], "validation"] -= 0.5
    curves.loc[at[0.3], "test"] += 0.5
    curves.loc[at[0.1], "test"] -= 0.5
    runs = places.runs(tables)
    assert places.chosen(runs)["all"] == 0.3
    assert places.favourite(runs) == "all"
    said = verdicts(places.findings(tables))
    assert (said["helps_all"], said["worth"]) == ("no", "no")


def test_the_verdicts_on_modes_follow_the_runs():
    tables = made_up(lambda setting, p: 0.1)
    right = [finding.supported for finding in modes.findings(tables)]
    assert right == ["yes", "yes", "yes", "no", "yes", "no", "no", "yes", "yes"]
    tables["modes"] = tables["modes"].assign(repeated=0.1, row_off=0.0, row_sum=1.5)
    tables["modes"].loc[0, "training"] += 0.1
    wrong = [finding.supported for finding in modes.findings(tables)]
    assert wrong == ["no", "no", "yes", "no", "yes", "no", "yes", "no", "yes"]
