"""The experiment on architectures: equal sizes, equal times, true shifts, skip connections really off, fair races."""

import time
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hf_llm.data.images import read_images
from hf_llm.experiments.architectures import (
    activations,
    equal_parameters,
    equal_time,
    recurrent,
    skip_connections,
    standard,
    training,
)
from hf_llm.experiments.architectures.equal_time import fit_for
from hf_llm.experiments.architectures.lab import LAB
from hf_llm.experiments.architectures.recurrent import RECURRENT, RowReader, from_formulas
from hf_llm.experiments.architectures.shift import SHIFTS, equivariance, move, moved_test
from hf_llm.experiments.architectures.skip_connections import resnet
from hf_llm.experiments.architectures.standard import convolutional_defaults, recurrent_defaults
from hf_llm.experiments.architectures.training import (
    CONVOLUTIONAL,
    FAMILIES,
    Images,
    accuracy_of,
    adam_run,
    family,
    parameters_of,
    race,
)
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.image_runs import best_rate, try_rate
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train

STUDY = Study(range(1), quick=True, data="digits")


@pytest.fixture(scope="module")
def images() -> Images:
    start_processes(threads=1)
    return replace(Images.of(STUDY), batch=8)


@pytest.fixture
def tiny(monkeypatch):
    """Make every part take two steps, or no more time than one step, and two blocks at most a stage."""
    for part in (equal_parameters, skip_connections, activations, recurrent):
        monkeypatch.setattr(part, "STEPS", (2, 2))
    monkeypatch.setattr(equal_parameters, "MOVED_IMAGES", (20, 20))
    monkeypatch.setattr(equal_time, "SECONDS", (1e-6, 1e-6))
    monkeypatch.setattr(skip_connections, "SHALLOW", (1, 1, 1))
    monkeypatch.setattr(skip_connections, "DEEP", ((2, 1, 1), (2, 1, 1)))


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def runs(column: str = "accuracy", **by_net) -> pd.DataFrame:
    """Return a table with the values of each net, one a seed."""
    return pd.DataFrame([
        {"net": net, "seed": seed, column: value} for net, values in by_net.items() for seed, value in enumerate(values)
    ])  # fmt: skip


def test_the_same_seeds_give_the_same_tables_but_for_the_timed_ones(tiny, images):
    one, other = LAB.measure(STUDY), LAB.measure(STUDY)
    for name in one:
        if name not in LAB.timed:
            pd.testing.assert_frame_equal(one[name], other[name])
    assert LAB.timed == {"equal_time", "equal_time_rates"}
    assert not one["equal_time"].equals(other["equal_time"])
    assert list(one["equal_parameters"]["net"]) == [*FAMILIES, "mlp_moved"]
    assert list(one["equal_time"]["net"]) == list(FAMILIES)
    assert len(one["shifts"]) == len(SHIFTS) * (len(FAMILIES) + 1)
    assert LAB.lecture == ["L8", "L19"]
    assert len(LAB.findings(one)) == len({finding.key for finding in LAB.findings(one)})


def test_the_sizes_are_equal():
    families = [parameters_of(family(name, seed=0)) for name in FAMILIES]
    assert max(families) < 1.01 * min(families)
    readers = [parameters_of(RowReader(name, seed=0)) for name in RECURRENT]
    assert max(readers) < 1.01 * min(readers)


def test_without_skip_connections_a_block_passes_on_its_convolutions_alone():
    x = torch.randn(2, 16, 7, 7, generator=torch.Generator().manual_seed(0))
    for skips in (True, False):
        model = resnet((1, 1, 1), skips, seed=0).eval()
        block = model.resnet.encoder.stages[0].layers[0]
        for parameter in block.layer.parameters():
            nn.init.zeros_(parameter)  # convolutions that compute nothing
        assert (block(x) != 0).any() == skips
    full, plain = (resnet((2, 2, 1), skips, seed=0) for skips in (True, False))
    assert 0.97 < parameters_of(plain) / parameters_of(full) < 1
    assert torch.equal(full.classifier[1].weight, plain.classifier[1].weight)  # both start alike


def test_a_row_reader_sees_the_last_row_and_remembers_the_first():
    images = torch.zeros(3, 1, 28, 28)
    images[1, 0, 0] = 1.0
    images[2, 0, -1] = 1.0
    for name in RECURRENT:
        logits = RowReader(name, seed=0)(pixel_values=images).logits
        assert logits.shape == (3, 10)
        assert not torch.equal(logits[0], logits[2])
    # with the identity start the first row still counts after 28 steps
    logits = RowReader("rnn_relu_identity", seed=0)(pixel_values=images).logits
    assert (logits[0] - logits[1]).abs().max() > 1e-3


def test_images_move_by_whole_pixels_and_bring_in_background():
    image = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    assert move(image, 0, 1)[0].tolist() == [[0, 0, 1], [0, 3, 4], [0, 6, 7]]
    assert move(image, -2, 0)[0].tolist() == [[6, 7, 8], [0, 0, 0], [0, 0, 0]]
    assert move(image, 0, 0).tolist() == image.tolist()
    moved = moved_test(read_images("digits").test, 50)
    changed = [(moved[pixels].images != moved[0].images).any(axis=(1, 2)).sum() for pixels in SHIFTS]
    assert changed == [0, 50, 50, 50, 50]
    assert all((moved[pixels].labels == moved[0].labels).all() for pixels in SHIFTS)


def test_convolutions_move_with_the_image_and_pooling_only_by_whole_strides(images):
    differences = equivariance(images.train.select(slice(8)))
    assert differences["convolution"] < 1e-5
    assert differences["pooled_by_two"] < 1e-5
    assert differences["pooled_by_one"] > 0.01


def test_lstm_and_gru_are_their_formulas(monkeypatch):
    assert max(from_formulas().values()) < 1e-6
    monkeypatch.setattr(torch, "tanh", torch.relu)  # torch's own cells do not look this up
    assert min(from_formulas().values()) > 1e-3


def test_defaults_are_read_off_the_classes():
    found = {row["class"]: row["activation"] for row in [*convolutional_defaults(), *recurrent_defaults()]}
    assert found["ResNet"] == "relu"
    assert found["EfficientNet"] == "swish"
    assert found["ConvNext"] == "gelu"
    assert found["RNN"] == nn.RNN(1, 1).nonlinearity == "tanh"


def test_a_diverged_rate_is_not_picked(images):
    broken = family("mlp", 0)
    with torch.no_grad():
        broken.classifier.bias.fill_(float("nan"))
    tried = try_rate(1e-3, broken, lambda: images.fit(broken, 2, 1e-3, seed=0), images.validation)
    assert tried == {"rate": 1e-3, "accuracy": 0.0, "loss": float("inf")}
    trials = [
        {"rate": 1.0, "accuracy": 0.0, "loss": float("inf")},
        {"rate": 0.1, "accuracy": 0.9, "loss": 0.5},
        {"rate": 0.01, "accuracy": 0.9, "loss": 0.4},
    ]
    assert best_rate(trials) == 0.01


def test_a_race_trains_each_net_with_its_best_rate_and_every_seed(images):
    good = {"mlp": 1e-2, "lenet": 3e-3}

    def fit(net, model, rate, seed):
        # the good rate alone trains
        return images.fit(model, 20, 1e-2 if rate == good[net.removesuffix("_moved")] else 1e-9, seed) | {"at": rate}

    nets = {net: partial(family, net) for net in good} | {"mlp_moved": partial(family, "mlp")}
    grid = replace(images, rates=(3e-3, 1e-2))
    found, trials = race(Study(range(2)), grid, "race", nets, fit, rate_of={"mlp_moved": "mlp"}).values()
    assert list(found["net"]) == list(nets) * 2
    assert list(found["seed"]) == [0] * 3 + [1] * 3
    assert list(trials["net"]) == ["mlp", "mlp", "lenet", "lenet"]  # the MLP on moved images searches none
    assert list(found["at"]) == [1e-2, 3e-3, 1e-2] * 2


def test_accuracy_in_slices_is_that_of_all_images(images, monkeypatch):
    model = family("mlp", 0)
    images.fit(model, steps=10, rate=1e-2, seed=0)
    monkeypatch.setattr(training, "AT_ONCE", 100)
    assert accuracy_of(model, images.test) == classification_scores(model, images.test)["accuracy"]


def test_training_by_the_clock_is_the_loop_when_each_step_takes_one_tick(images):
    steps = 16  # a power of two: shares of the time are then exact
    config = replace(adam_run(steps, 1e-2, seed=0), warmup_steps=4)
    by_steps, by_clock = family("lenet", 0), family("lenet", 0)
    train(images.task(by_steps, 0), config)
    ticks = iter(range(steps + 1))
    taken, used = fit_for(float(steps), images.task(by_clock, 0), config, clock=lambda: float(next(ticks)))
    assert (taken, used) == (steps, steps)
    assert all(torch.equal(one, other) for one, other in zip(by_steps.parameters(), by_clock.parameters()))


def test_training_by_the_clock_ends_within_half_a_step(images):
    def end_of(seconds: float, step: float) -> float:
        ticks = iter(np.arange(100) * step)
        return fit_for(seconds, images.task(family("mlp", 0), 0), adam_run(10, 1e-3, 0), lambda: next(ticks))[1]

    for seconds, step in ((1.0, 0.3), (1.0, 0.4), (2.0, 0.35)):
        assert abs(end_of(seconds, step) - seconds) <= step / 2
    assert end_of(1.0, 5.0) == 5.0  # one step at least


def test_training_by_the_clock_counts_work_and_no_waiting(images):
    wait = 0.5  # seconds a step; the arithmetic of one is some milliseconds

    class Waiting(ImageClassification):
        def items(self, batch):
            time.sleep(wait)
            return super().items(batch)

    task = images.task(family("mlp", 0), 0)
    task.__class__ = Waiting
    steps, used = fit_for(0.03, task, adam_run(1000, 1e-3, 0))
    assert 0 < used < steps * wait / 2  # by the wall clock it would be more than steps * wait


def test_the_verdicts_on_families_follow_the_runs():
    at_rest = runs(mlp=(0.90, 0.91), lenet=(0.95, 0.96), resnet=(0.93, 0.94), efficientnet=(0.95, 0.97))
    shifts = pd.concat([
        runs(mlp=(0.99 - 0.1 * s, 0.991 - 0.1 * s), mlp_moved=(0.8, 0.801),
             **dict.fromkeys(CONVOLUTIONAL, (0.9 - (s == 4) * 0.005, 0.901 - (s == 4) * 0.005))).assign(shift=s)
        for s in SHIFTS
    ])  # fmt: skip
    tables = {"equal_parameters": at_rest, "shifts": shifts}
    said = supported(equal_parameters.findings(tables))
    assert said["lenet_over_mlp"] == "yes"
    assert said["resnet_over_lenet"] == "no"
    assert said["efficientnet_over_lenet"] == "inconclusive"
    assert {said[f"{net}_over_mlp_moved"] for net in CONVOLUTIONAL} == {"yes"}
    assert (said["lenet_indifferent"], said["data_over_convolution"]) == ("yes", "no")
    shifts.loc[(shifts["net"] == "lenet") & (shifts["shift"] > 0), "accuracy"] -= 0.4
    said = supported(equal_parameters.findings(tables))
    assert said["lenet_over_mlp_moved"] == "no"  # now the MLP is more accurate on moved images
    assert (said["lenet_indifferent"], said["data_over_convolution"]) == ("no", "yes")


def test_the_verdicts_on_skip_connections_follow_the_runs():
    table = runs(shallow_residual=(0.95, 0.95), shallow_plain=(0.94, 0.96), deep_residual=(0.97, 0.97),
                 deep_plain=(0.2, 0.21))  # fmt: skip
    said = supported(skip_connections.findings({"skip_connections": table}))
    assert list(said.values()) == ["inconclusive", "yes", "yes", "no"]


def test_the_verdicts_on_equal_time_fall_where_the_times_differ():
    table = runs(mlp=(0.9, 0.91), lenet=(0.95, 0.96), resnet=(0.91, 0.9), efficientnet=(0.6, 0.61))
    table["training"] = [1000.0, 1100.0, *[100.0, 110.0] * 3]
    table = table.assign(seconds=4.1, budget=4.0)
    said = supported(equal_time.findings({"equal_time": table}))
    assert said["times_are_equal"] == "yes"
    assert said["lenet_over_mlp_in_time"] == "yes"
    assert said["resnet_over_mlp_in_time"] == "inconclusive"
    assert said["efficientnet_over_mlp_in_time"] == "no"
    assert {said[f"mlp_faster_than_{net}"] for net in CONVOLUTIONAL} == {"yes"}
    table.loc[5, "seconds"] = 0.16  # a single training that was too short
    said = supported(equal_time.findings({"equal_time": table}))
    assert said["times_are_equal"] == "no"
    assert {said[f"{net}_over_mlp_in_time"] for net in CONVOLUTIONAL} == {"inconclusive"}
    assert {said[f"mlp_faster_than_{net}"] for net in CONVOLUTIONAL} == {"yes"}


def test_the_verdicts_on_relu_follow_the_runs():
    defaults = pd.DataFrame({"kind": ["cnn", "cnn", "cnn", "rnn"], "relu": [True, True, False, False]})
    assert supported(standard.findings({"defaults": defaults})) == {"relu_in_cnns": "yes", "relu_in_rnns": "no"}
    half = defaults.assign(relu=[True, False, True, True]).drop(index=2)
    assert supported(standard.findings({"defaults": half})) == {"relu_in_cnns": "no", "relu_in_rnns": "yes"}
    nets = runs(relu=(0.9, 0.91), tanh=(0.91, 0.9), sigmoid=(0.5, 0.51), gelu=(0.95, 0.96))
    said = supported(activations.findings({"activations": nets}))
    assert said == {"relu_over_tanh": "inconclusive", "relu_over_sigmoid": "yes", "relu_over_gelu": "no"}
    readers = runs(**dict.fromkeys(RECURRENT, (0.9, 0.91)) | {"gru": (0.91, 0.9), "lstm": (0.95, 0.96)})
    formulas = pd.DataFrame({"cell": ["lstm", "gru"], "difference": [1e-7, 0.1]})
    said = supported(recurrent.findings({"recurrent": readers, "formulas": formulas}))
    assert (said["relu_over_gru"], said["relu_over_lstm"]) == ("inconclusive", "no")
    assert (said["lstm_is_its_formula"], said["gru_is_its_formula"]) == ("yes", "no")
