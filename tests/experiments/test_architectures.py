"""The lab on architectures: equal sizes, true shifts, shortcuts really off, and verdicts that follow the runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lab_checks import check
from torch import nn

from hf_llm.data.images import read_images
from hf_llm.experiments.architectures import cells as architectures_cells
from hf_llm.experiments.architectures import lab as architectures
from hf_llm.experiments.architectures.cells import QUICK, Parts, accuracy_of, best_rate, train_net, try_rate
from hf_llm.experiments.architectures.findings import depth_findings, family_findings, timing_findings
from hf_llm.experiments.architectures.nets import (
    EQUAL_SIZE,
    RECURRENT,
    RowReader,
    net_of_equal_size,
    parameters_of,
    resnet_of_depth,
)
from hf_llm.experiments.architectures.relu import by_hand, convolutional_defaults, recurrent_defaults, relu_findings
from hf_llm.experiments.architectures.shift import SHIFTS, equivariance, move, moved_test, shift_findings
from hf_llm.experiments.architectures.words import ACTIVATIONS, CONVOLUTIONAL_FAMILIES
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.report import result_as_dict
from hf_llm.training.image_classification import classification_scores

TINY = replace(
    QUICK, steps=dict.fromkeys(QUICK.steps, 2), rates=(1e-3, 1e-2), picking_images=20, seconds=0.01,
    depths=((1, 1, 1), (2, 1, 1)), shifted_images=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    return Parts.read("digits", TINY)


@pytest.fixture(scope="module")
def result():
    return architectures.run(ExperimentConfig("", quick=True, data="digits"), lambda *_: None)


def supported(findings) -> dict[str, str]:
    return {finding.claim.en: finding.supported for finding in findings}


def cells(*accuracies: float, **rest) -> list[dict]:
    return [{"test_accuracy": accuracy, **rest} for accuracy in accuracies]


def test_the_result_keeps_the_rules(result):
    check(result)
    assert result.lecture == ["L8", "L19"]
    assert [row["key"] for row in result.tables["families"].rows] == [*EQUAL_SIZE, "mlp_moved"]
    assert [row["key"] for row in result.timings.tables["equal_time"].rows] == list(EQUAL_SIZE)
    assert len(result.tables["shift"].rows) == len(SHIFTS) * (len(EQUAL_SIZE) + 1)


def test_the_same_seeds_give_the_same_result_but_for_timings(monkeypatch):
    monkeypatch.setattr(architectures, "QUICK", TINY)
    config = ExperimentConfig("", quick=True, seeds=1, data="digits")
    one, other = (result_as_dict(architectures.run(config, lambda *_: None)) for _ in range(2))
    assert one.pop("timings") != other.pop("timings")
    assert one == other


def test_the_sizes_are_equal():
    families = [parameters_of(net_of_equal_size(name, seed=0)) for name in EQUAL_SIZE]
    assert max(families) < 1.01 * min(families)
    recurrent = [parameters_of(RowReader(name, seed=0)) for name in RECURRENT]
    assert max(recurrent) < 1.01 * min(recurrent)


def test_without_shortcuts_a_block_passes_on_its_convolutions_alone():
    x = torch.randn(2, 16, 7, 7, generator=torch.Generator().manual_seed(0))
    for shortcuts in (True, False):
        model = resnet_of_depth((1, 1, 1), shortcuts, seed=0).eval()
        block = model.resnet.encoder.stages[0].layers[0]
        for parameter in block.layer.parameters():
            nn.init.zeros_(parameter)  # convolutions that compute nothing
        assert (block(x) != 0).any() == shortcuts
    full, plain = (resnet_of_depth((2, 2, 1), shortcuts, seed=0) for shortcuts in (True, False))
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
    test = read_images("digits").test
    moved = moved_test(test, 50)
    changed = [(moved[pixels].images != moved[0].images).any(axis=(1, 2)).sum() for pixels in SHIFTS]
    assert changed == [0, 50, 50, 50, 50]
    assert all((moved[pixels].labels == moved[0].labels).all() for pixels in SHIFTS)


def test_convolutions_move_with_the_image_and_pooling_only_by_whole_strides(parts):
    differences = equivariance(parts.train.select(slice(8)))
    assert differences["convolution"] < 1e-5
    assert differences["pooled_by_two"] < 1e-5
    assert differences["pooled_by_one"] > 0.01


def test_lstm_and_gru_are_their_formulas(monkeypatch):
    assert max(by_hand().values()) < 1e-6
    monkeypatch.setattr(torch, "tanh", torch.relu)  # torch's own cells do not look this up
    assert min(by_hand().values()) > 1e-3


def test_defaults_are_read_off_the_classes():
    found = {row["class"]: row["activation"] for row in [*convolutional_defaults(), *recurrent_defaults()]}
    assert found["ResNet"] == "relu"
    assert found["EfficientNet"] == "swish"
    assert found["ConvNext"] == "gelu"
    assert found["RNN"] == nn.RNN(1, 1).nonlinearity == "tanh"


def test_a_diverged_rate_is_not_picked(parts):
    def make(seed: int) -> nn.Module:
        model = net_of_equal_size("mlp", seed)
        with torch.no_grad():
            model.classifier.bias.fill_(float("nan"))
        return model

    assert try_rate(parts, TINY, make, steps=2, rate=1e-3) == {"rate": 1e-3, "accuracy": 0.0, "loss": float("inf")}
    trials = [
        {"rate": 1.0, "accuracy": 0.0, "loss": float("inf")},
        {"rate": 0.1, "accuracy": 0.9, "loss": 0.5},
        {"rate": 0.01, "accuracy": 0.9, "loss": 0.4},
    ]
    assert best_rate(trials) == 0.01


def test_accuracy_in_slices_is_that_of_all_images(parts, monkeypatch):
    model = train_net(parts, TINY, lambda seed: net_of_equal_size("mlp", seed), steps=10, rate=1e-2, seed=0)["model"]
    monkeypatch.setattr(architectures_cells, "AT_ONCE", 100)
    test = parts.data.test
    assert accuracy_of(model, test) == classification_scores(model, test)["accuracy"]


def test_the_verdicts_on_families_and_depth_follow_the_runs():
    families = {"mlp": cells(0.90, 0.91), "lenet": cells(0.95, 0.96), "resnet": cells(0.93, 0.94),
                "efficientnet": cells(0.95, 0.97)}  # fmt: skip
    said = supported(family_findings(families))
    assert said["With equal parameters and steps, the LeNet gets more right than the MLP"] == "yes"
    assert said["With equal parameters and steps, the ResNet gets more right than the LeNet"] == "no"
    assert said["With equal parameters and steps, the EfficientNet gets more right than the LeNet"] == "unclear"
    depths = {(5, True): cells(0.95, 0.95), (5, False): cells(0.94, 0.96), (18, True): cells(0.97, 0.97),
              (18, False): cells(0.2, 0.21)}  # fmt: skip
    assert list(supported(depth_findings(depths)).values()) == ["unclear", "yes", "yes", "no"]


def test_the_verdicts_on_shifts_follow_the_runs():
    def with_shifts(*accuracies: float) -> list[dict]:
        return [{"by_shift": [accuracy + 0.001 * seed for accuracy in accuracies]} for seed in (0, 1)]

    families = {name: with_shifts(0.9, 0.9, 0.9, 0.9, 0.895) for name in CONVOLUTIONAL_FAMILIES}
    families |= {"mlp": with_shifts(0.99, 0.8, 0.7, 0.6, 0.5), "mlp_moved": with_shifts(0.8, 0.8, 0.8, 0.8, 0.8)}
    exactly = {"convolution": 0.0, "pooled_by_two": 1.0, "pooled_by_one": 0.0}
    assert list(supported(shift_findings(exactly, families)).values()) == [
        "yes", "no", "yes", *["yes"] * 3, "yes", "no",
    ]  # fmt: skip
    families["lenet"] = with_shifts(0.9, 0.5, 0.5, 0.5, 0.5)
    said = list(supported(shift_findings(exactly, families)).values())
    assert said[3] == "no"  # the MLP gets more moved images right
    assert said[6:] == ["no", "yes"]


def test_the_verdicts_on_relu_and_on_time_follow_the_runs():
    defaults = {"convolutional": [{"relu": True}, {"relu": True}, {"relu": False}], "recurrent": [{"relu": False}]}
    lenets = {name: cells(0.9, 0.91) for name in ACTIVATIONS} | {"sigmoid": cells(0.5, 0.51), "gelu": cells(0.95, 0.96)}
    recurrent = {name: cells(0.9, 0.91) for name in RECURRENT} | {"lstm": cells(0.95, 0.96)}
    said = supported(relu_findings(defaults, {"LSTM": 1e-7, "GRU": 0.1}, lenets, recurrent))
    assert said["Most CNNs of the transformers library use ReLU when nobody chooses"] == "yes"
    assert said["Most recurrent nets of torch use ReLU when nobody chooses"] == "no"
    assert said["torch's LSTM computes with sigmoid and tanh alone, without ReLU"] == "yes"
    assert said["torch's GRU computes with sigmoid and tanh alone, without ReLU"] == "no"
    assert said["LeNet-5 gets more right with ReLU than with sigmoid"] == "yes"
    assert said["LeNet-5 gets more right with ReLU than with GELU"] == "no"
    assert list(said.values())[-1] == "no"
    speed = {name: np.array([100.0, 110.0]) for name in EQUAL_SIZE} | {"mlp": np.array([1000.0, 1100.0])}
    in_time = {name: cells(0.9, 0.91) for name in EQUAL_SIZE} | {"lenet": cells(0.95, 0.96)}
    said = supported(timing_findings(speed, in_time))
    assert said["With equal parameters, the MLP trains more images a second than the ResNet"] == "yes"
    assert said["In equal training time, the LeNet gets more right than the MLP"] == "yes"
    assert said["In equal training time, the ResNet gets more right than the MLP"] == "unclear"
