"""The experiment on regularization: each regularizer does what is said of it, and the verdicts follow the data."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from hf_llm.experiments.frame.report import read_table
from hf_llm.experiments.frame.study import Study
from hf_llm.experiments.regularization import definitions, dropout_gain, nets, regularizers
from hf_llm.experiments.regularization.definitions import LAMBDA, P, batch_norm_layer, dropout_layer, penalty
from hf_llm.experiments.regularization.nets import ALL_FOUR, FULL, QUICK, chosen_strengths, train_regularized
from hf_llm.experiments.shared import image_runs
from hf_llm.experiments.shared.dropout_settings import IMAGES, NARROW, WIDE
from hf_llm.experiments.shared.image_runs import ImageParts
from hf_llm.training.optimizer import make_optimizer

RESULT = Path(__file__).parents[2] / "results" / "regularization"
TINY = replace(
    QUICK, sizes={name: replace(size, steps=6, evaluations=3) for name, size in QUICK.sizes.items()}, patience=1
)
STUDY = Study(range(1), quick=True, data="digits")


@pytest.fixture(scope="module")
def parts():
    return ImageParts.read("digits")


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nets, "QUICK", TINY)
        return regularizers.measure(STUDY) | definitions.measure(STUDY)


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_every_set_is_trained_and_the_pairs_have_no_curves(tables):
    few = list(tables["runs"].query("size == 'few'")["regularizers"])
    assert few == TINY.sizes["few"].sets
    assert {"none", "dropout", "l2", "batch_norm", "early_stopping", ALL_FOUR} <= set(few)
    assert set(FULL.sizes["few"].sets) - set(few) == set(nets.PAIRS)
    assert set(tables["curves"]["regularizers"]) == set(few)
    assert not any(table.isna().any(axis=None) for table in tables.values())


def test_the_definitions_hold_and_decoupled_decay_is_not_l2(tables):
    verdicts = supported(definitions.findings(tables))
    assert [key for key, verdict in verdicts.items() if verdict != "yes"] == ["decoupled_is_l2"]


def test_the_same_seeds_give_the_same_result(tables, monkeypatch):
    monkeypatch.setattr(nets, "QUICK", TINY)
    for name, again in (regularizers.measure(STUDY) | definitions.measure(STUDY)).items():
        pd.testing.assert_frame_equal(tables[name], again, check_exact=True)


def test_dropout_zeroes_a_share_and_scales_the_rest(monkeypatch):
    numbers, rows = dropout_layer()
    assert abs(numbers["zeros"] / 1_000_000 - P) < 0.002
    assert all(row.training in (0.0, pytest.approx(row.before / (1 - P))) for row in rows.itertuples())
    monkeypatch.setattr(torch.nn, "Dropout", lambda p: torch.nn.AlphaDropout(p))  # which also shifts, and scales less
    verdicts = supported(definitions.findings(definitions.measure(STUDY)))
    assert verdicts["scales_the_rest"] == verdicts["zeroes_with_p"] == "no"


def test_the_penalty_is_the_optimizers_decay_of_twice_its_strength(monkeypatch):
    right = penalty()
    assert max(right[name] for name in ("gradient", "sgd", "adam")) < 1e-12
    assert right["adamw"] > 0.1
    sgd = torch.optim.SGD

    def half_decay(parameters, weight_decay=0.0, **rest):
        return sgd(parameters, weight_decay=weight_decay / 2, **rest)

    monkeypatch.setattr(torch.optim, "SGD", half_decay)
    assert penalty()["sgd"] > 1e-6
    assert supported(definitions.findings(definitions.measure(STUDY)))["l2_is_decay"] == "no"


def test_batch_norm_normalises_the_mini_batch_and_evaluates_by_running_averages(parts):
    images = parts.train.select(slice(64))
    numbers, rows = batch_norm_layer(images)
    assert numbers["mean"] < 1e-5
    assert numbers["variance"] < 1e-3
    assert numbers["training_companions"] > 0.01
    assert numbers["evaluation_companions"] == 0
    assert rows["before_mean"].abs().max() > 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.BatchNorm1d, "eval", lambda self: self)  # a layer that stays in training
        assert batch_norm_layer(images)[0]["evaluation_companions"] > 0.01


@pytest.mark.parametrize(
    ("name", "optimizer", "decay"), [("l2", torch.optim.Adam, 2 * LAMBDA), ("decoupled", torch.optim.AdamW, LAMBDA)]
)
def test_l2_trains_with_decay_in_the_gradient_and_decoupled_without(parts, monkeypatch, name, optimizer, decay):
    configs = []
    real = image_runs.train

    def spy(task, config, **rest):
        configs.append((task.model, config))
        return real(task, config, **rest)

    monkeypatch.setattr(image_runs, "train", spy)
    train_regularized(parts, TINY, "few", name, {name: LAMBDA}, seed=0)
    made = make_optimizer(*configs[0])
    assert type(made) is optimizer
    assert made.param_groups[0]["weight_decay"] == decay


def test_early_stopping_walks_the_plain_path_and_keeps_the_best_weights(parts, monkeypatch):
    monkeypatch.setitem(nets.TRAINING, "learning_rate", 0.05)  # so high that it soon gets worse
    grid = replace(TINY, sizes={"few": replace(TINY.sizes["few"], steps=40, evaluations=20)})
    (plain, _, _), (stopped, kept, task) = (
        train_regularized(parts, grid, "few", names, {}, seed=0) for names in ("none", "early_stopping")
    )
    losses = [record["validation_loss"] for record in stopped]
    assert len(stopped) < 20
    assert stopped == plain[: len(stopped)]
    assert losses[kept] == min(losses)
    assert stopped[kept]["step"] < stopped[-1]["step"]
    assert task.evaluate(task.model)["validation_loss"] == min(losses)


def test_the_strength_with_the_lowest_validation_loss_is_chosen():
    tried = pd.DataFrame(
        {"size": "few", "regularizers": "dropout", "strength": strength, "seed": 1000, "validation_loss": loss}
        for strength, loss in ((0.2, 0.5), (0.4, 0.3), (0.6, 0.4))
    )
    assert chosen_strengths(tried, "few") == {"dropout": 0.4}


def made_up(gain: dict[str, float]) -> dict[str, pd.DataFrame]:
    """Return tables of two seeds in which {set: gain} is what a set of regularizers adds to the test accuracy."""
    rows, curves = [], []
    for size, how in TINY.sizes.items():
        for names in how.sets:
            for seed in (0, 1):
                more, count = gain.get(names, 0.0), 0 if names == "none" else len(names.split("+"))
                cell = {"size": size, "regularizers": names, "seed": seed, "step": 6}
                end = {"train_loss": 0.1, "validation_loss": 0.4 - more}
                curves.append({**cell, **end})
                rows.append({
                    **cell, **end, "validation_accuracy": 0.9 + more, "stopped_step": 6, "last_step": 6,
                    "test_accuracy": 0.9 + 0.01 * seed + more + 1e-5 * seed * count,
                    "test_loss": 0.5 - more - 1e-5 * seed * count,
                })  # fmt: skip
    tried = [
        {"size": "few", "regularizers": "dropout", "strength": p, "seed": 1000, "validation_loss": abs(p - 0.4)}
        for p in (0.2, 0.4, 0.8)
    ]
    return {"runs": pd.DataFrame(rows), "curves": pd.DataFrame(curves), "strengths": pd.DataFrame(tried)}


def test_the_verdicts_follow_the_runs():
    tables = made_up({"dropout": 0.02, "l2": -0.02, "decoupled": 0.09, ALL_FOUR: 0.05})
    verdicts = supported(regularizers.findings(tables))
    for size in ("few", "all"):
        assert verdicts[f"{size}_dropout_accuracy"] == "yes"
        assert verdicts[f"{size}_l2_accuracy"] == "no"
        assert verdicts[f"{size}_dropout_loss"] == "yes"
        assert verdicts[f"{size}_together"] == "yes"  # decoupled decay, better still, is none of the four
    assert regularizers.best_alone(tables["runs"], "few") == "decoupled"
    assert verdicts["few_weakest_loss"] == "no"
    assert verdicts["fewer_images"] == "no"  # the same gain with few images and with all
    together = tables["runs"].eval(f"size == 'few' and regularizers == '{ALL_FOUR}'")
    tables["runs"].loc[together, "test_accuracy"] += [0.01, -0.01]
    assert supported(regularizers.findings(tables))["fewer_images"] == "inconclusive"
    means = regularizers.summarise(tables | {"runs": tables["runs"].assign(train_accuracy=1.0)})
    assert means.set_index(["size", "regularizers"])["gap"]["few", "l2"] == pytest.approx(0.32)


def test_a_dropout_at_the_edge_of_its_grid_is_reported_so():
    tables = made_up({})
    assert supported(regularizers.findings(tables))["few_dropout_inside"] == "yes"
    tables["strengths"] = tables["strengths"].query("strength < 0.5")
    assert supported(regularizers.findings(tables))["few_dropout_inside"] == "no"


def test_early_stopping_that_never_stops_is_reported_so():
    tables = made_up({})
    assert supported(regularizers.findings(tables))["few_interrupts"] == "no"
    stopped = tables["runs"].eval("size == 'few' and regularizers == 'early_stopping'")
    tables["runs"].loc[stopped, "stopped_step"] = 3
    assert supported(regularizers.findings(tables))["few_interrupts"] == "yes"
    assert supported(regularizers.findings(tables))["same_path"] == "yes"
    one = tables["curves"].eval("size == 'few' and regularizers == 'early_stopping' and seed == 0")
    tables["curves"].loc[one, "validation_loss"] = 0.41
    assert supported(regularizers.findings(tables))["same_path"] == "no"


def test_width_is_named_as_the_cause_only_where_the_wide_net_gains_more():
    settings = [*dropout_gain.SETTINGS.values(), *(replace(NARROW, dropout=p) for p in dropout_gain.DROPOUTS)]
    nets_of = dict.fromkeys(one for setting in settings for one in (replace(setting, dropout=0.0), setting))
    table = pd.DataFrame(
        {**vars(net), "seed": seed, "validation_accuracy": 0.9 - abs(net.dropout - 0.2),
         "test_accuracy": 0.9 + 1e-4 * seed * (net.dropout > 0) + 0.02 * (net.width == WIDE.width and net.dropout > 0)}
        for net in nets_of for seed in (0, 1)
    )  # fmt: skip
    tables = {"settings": table}
    assert dropout_gain.chosen_by_accuracy(tables) == 0.2
    assert supported(dropout_gain.findings(tables))["width_matters"] == "yes"
    table.loc[(table["width"] == WIDE.width) & (table["dropout"] > 0), "test_accuracy"] -= 0.04
    assert supported(dropout_gain.findings(tables))["width_matters"] == "no"


def test_this_study_is_the_narrow_setting():
    few = FULL.sizes["few"]
    assert (few.images, few.steps) == (IMAGES, NARROW.steps)
    saved = json.loads((RESULT / "result.json").read_text(encoding="utf-8"))
    assert not saved["quick"]
    tried, runs, settings = (
        read_table(RESULT / "tables" / f"{name}.csv") for name in ("strengths", "runs", "settings")
    )
    assert (
        chosen_strengths(tried, "few")["dropout"] == NARROW.dropout
    )  # which is inside the grid, and no longer its end
    assert NARROW.dropout < max(few.strengths["dropout"])
    # both parts have trained the same nets
    assert list(dropout_gain.gain(settings, NARROW)) == list(regularizers.gains(runs, "few", "dropout"))
