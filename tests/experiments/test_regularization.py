"""The lab on regularisation: each regulariser does what is said of it, and the verdicts follow the data."""

from dataclasses import replace

import pytest
import torch
from lab_checks import check

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.regularization import cells as regularization_cells
from hf_llm.experiments.regularization import lab as regularization
from hf_llm.experiments.regularization.cells import QUICK, TOGETHER, Parts, train_cell
from hf_llm.experiments.regularization.findings import effect_findings, gap, stopping_findings
from hf_llm.experiments.regularization.layer_findings import layer_findings
from hf_llm.experiments.regularization.mechanics import LAMBDA, P, batch_norm_layer, dropout_layer, penalty
from hf_llm.experiments.report import result_as_dict
from hf_llm.training.image_classification import ImageClassification
from hf_llm.training.optimizer import make_optimizer

TINY = replace(
    QUICK, sizes={name: replace(size, steps=6, evaluations=3) for name, size in QUICK.sizes.items()}, patience=1
)
EARLY, NONE = ("early_stopping",), ()
NORM = ("mean", "variance", "running", "training_companions", "evaluation_companions")


@pytest.fixture(scope="module")
def parts():
    return Parts.read("digits")


@pytest.fixture(scope="module")
def result():
    return regularization.run(ExperimentConfig("", quick=True, data="digits"), lambda *_: None)


def supported(findings) -> dict[str, str]:
    return {finding.claim.en: finding.supported for finding in findings}


def test_the_result_keeps_the_rules(result):
    check(result)
    combinations = [row["parts"] for row in result.tables["summary"].rows if row["size"] == "few"]
    assert combinations[0] == []
    assert combinations[-1] == list(TOGETHER)
    assert {tuple(names) for names in combinations} >= {("dropout",), ("l2",), ("batch_norm",), EARLY}


def test_the_definitions_hold_and_decoupled_decay_is_not_l2(result):
    said = supported(result.findings[:12])
    assert [claim for claim, verdict in said.items() if verdict != "yes"] == [
        "The decoupled decay of AdamW and λ‖w‖² in the loss are the same thing"
    ]


def test_the_same_seeds_give_the_same_result(monkeypatch):
    monkeypatch.setattr(regularization, "QUICK", TINY)
    config = ExperimentConfig("", quick=True, seeds=1, data="digits")
    one, other = (regularization.run(config, lambda *_: None) for _ in range(2))
    assert result_as_dict(one) == result_as_dict(other)


def test_dropout_zeroes_a_share_and_scales_the_rest(monkeypatch):
    numbers, rows = dropout_layer()
    assert abs(numbers["zeros"] / 1_000_000 - P) < 0.002
    assert all(row["training"] in (0.0, pytest.approx(row["before"] / (1 - P))) for row in rows)
    monkeypatch.setattr(torch.nn, "Dropout", lambda p: torch.nn.AlphaDropout(p))  # which also shifts, and scales less
    broken, _ = dropout_layer()
    said = supported(layer_findings(broken, penalty(), dict.fromkeys(NORM, 0.0)))
    assert said["The units that remain are divided by the probability of remaining"] == "no"
    assert said["In training, dropout zeroes each unit with probability p"] == "no"


def test_the_penalty_is_the_optimizers_decay_of_twice_its_strength(monkeypatch):
    right = penalty()
    assert max(right[name] for name in ("gradient", "sgd", "adam")) < 1e-12
    assert right["adamw"] > 0.1
    sgd = torch.optim.SGD

    def half_decay(parameters, weight_decay=0.0, **rest):
        return sgd(parameters, weight_decay=weight_decay / 2, **rest)

    monkeypatch.setattr(torch.optim, "SGD", half_decay)
    assert penalty()["sgd"] > 1e-6


def test_batch_norm_normalises_the_mini_batch_and_evaluates_by_running_averages(parts):
    images = parts.split[0].select(slice(64))
    numbers, rows = batch_norm_layer(images)
    assert numbers["mean"] < 1e-5
    assert numbers["variance"] < 1e-3
    assert numbers["training_companions"] > 0.01
    assert numbers["evaluation_companions"] == 0
    assert max(abs(row["before_mean"]) for row in rows) > 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.BatchNorm1d, "eval", lambda self: self)  # a layer that stays in training
        assert batch_norm_layer(images)[0]["evaluation_companions"] > 0.01


@pytest.mark.parametrize(
    ("name", "optimizer", "decay"), [("l2", torch.optim.Adam, 2 * LAMBDA), ("decoupled", torch.optim.AdamW, LAMBDA)]
)
def test_l2_trains_with_decay_in_the_gradient_and_decoupled_without(parts, monkeypatch, name, optimizer, decay):
    configs = []
    real = regularization_cells.train

    def spy(task, config, **rest):
        configs.append((task.model, config))
        return real(task, config, **rest)

    monkeypatch.setattr(regularization_cells, "train", spy)
    train_cell(parts, TINY, TINY.sizes["few"], (name,), {name: LAMBDA}, seed=0)
    made = make_optimizer(*configs[0])
    assert type(made) is optimizer
    assert made.param_groups[0]["weight_decay"] == decay


def test_early_stopping_walks_the_plain_path_and_keeps_the_best_weights(parts):
    study = replace(TINY, training={**TINY.training, "learning_rate": 0.05})  # so high that it soon gets worse
    size = replace(TINY.sizes["few"], steps=40, evaluations=20)
    plain, stopped = (train_cell(parts, study, size, names, {}, seed=0) for names in (NONE, EARLY))
    curve = stopped["validation_loss"]
    assert len(curve) < 20
    assert curve == plain["validation_loss"][: len(curve)]
    assert curve[stopped["kept"]] == min(curve)
    assert stopped["kept_step"] == stopped["step"][stopped["kept"]] < stopped["step"][-1]
    task: ImageClassification = stopped["task"]
    assert task.evaluate(task.model)["validation_loss"] == min(curve)


def test_the_strength_with_the_lowest_validation_loss_is_picked():
    rows = [
        {"size": "few", "part": "dropout", "strength": strength, "validation_loss": loss}
        for strength, loss in ((0.2, 0.5), (0.4, 0.3), (0.6, 0.4))
    ]
    assert regularization.picked(rows, "few") == {"dropout": 0.4}
    assert regularization.picked(rows, "all") == {}


def made_up(gain: dict) -> dict:
    """Return runs of two seeds in which {combination: gain} is what a combination adds to the test accuracy."""
    return {
        (size, names, seed): {
            "test_accuracy": 0.9 + 0.01 * seed + gain.get(names, 0.0) + 1e-5 * seed * len(names),
            "test_loss": 0.5 - gain.get(names, 0.0) - 1e-5 * seed * len(names),
            "validation_accuracy": [0.8, 0.9 + gain.get(names, 0.0)], "kept": 1, "step": [3, 6],
            "train_loss": [0.4, 0.1], "validation_loss": [0.4, 0.4 - gain.get(names, 0.0)],
        }
        for size, how in TINY.sizes.items() for names in how.combinations for seed in (0, 1)
    }  # fmt: skip


def test_the_verdicts_follow_the_runs():
    runs = made_up({("dropout",): 0.02, ("l2",): -0.02, ("decoupled",): 0.09, TOGETHER: 0.05})
    said = supported(effect_findings(runs, TINY, [0, 1], TOGETHER))
    for size in ("With few images", "With all images"):
        assert said[f"{size}, the net gets more right with dropout than with no regulariser"] == "yes"
        assert said[f"{size}, the net gets more right with L2 than with no regulariser"] == "no"
        assert said[f"{size}, the test loss is lower with dropout than with no regulariser"] == "yes"
        # decoupled decay, better still, is none of the four
        assert (
            said[f"{size}, all four together get more right than the best of them alone (the best on validation)"]
            == "yes"
        )
    assert gap(runs["few", ("l2",), 0]) == pytest.approx(0.32)
    assert said["The fewer the images, the more all four together help"] == "unclear"


def test_early_stopping_that_never_stops_is_reported_so():
    runs = made_up({})
    claim = "With few images, validation gets worse, and early stopping interrupts the training before its end"
    assert supported(stopping_findings(runs, TINY, [0, 1]))[claim] == "no"
    runs["few", EARLY, 0]["step"] = [3]
    assert supported(stopping_findings(runs, TINY, [0, 1]))[claim] == "unclear"
    runs["few", EARLY, 0]["validation_loss"] = [0.41]
    same = "With few images, until it stops, early stopping walks the path of the net without any regulariser"
    assert supported(stopping_findings(runs, TINY, [0, 1]))[same] == "no"
