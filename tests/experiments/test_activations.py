"""The experiment on activations: what it counts is what it says, and its verdicts follow the counts."""

import pytest
import torch

from hf_llm.experiments.activations import dead_units, defaults, functions, saturation, zero_centring
from hf_llm.experiments.activations.counting import blocked_share
from hf_llm.experiments.activations.counting import dead_units as dead
from hf_llm.experiments.activations.dead_units import kill_and_nurse
from hf_llm.experiments.activations.lab import LAB
from hf_llm.experiments.activations.zero_centring import VARIANTS, MovedNet
from hf_llm.experiments.frame.study import Study


@pytest.fixture(scope="module")
def measured():
    return LAB.measure(Study(range(2), quick=True))


@pytest.fixture
def tables(measured):
    return {name: table.copy() for name, table in measured.items()}


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_the_same_seeds_give_the_same_tables(measured):
    for part in (functions, saturation, zero_centring):
        for name, table in part.measure(Study(range(2), quick=True)).items():
            assert table.equals(measured[name])
    again = kill_and_nurse("raw", "relu", 2.0, seed=1, steps=60)
    rows = measured["dead"].to_dict("records")
    assert [again] == [row for row in rows if (row["pixels"], row["activation"], row["rate"], row["seed"]) ==
                       ("raw", "relu", 2.0, 1)]  # fmt: skip


def test_what_is_mathematics_holds(tables):
    said = supported(LAB.findings(tables))
    for name in ("derivatives", "quarter", "positive", "on_average", "tanh_centred", "dip", "approximation"):
        assert said[name] == "yes", name
    for name in ("fewer_blocked", "revived", "relu_centred"):
        assert said[name] == "no", name


def test_a_wrong_derivative_is_found(tables):
    tables["functions"].loc[tables["functions"]["activation"] == "tanh", "derivative"] += 1e-6
    assert supported(functions.findings(tables))["derivatives"] == "no"


def set_for(table, column, values, **settings):
    """Write one value a seed, in the order of the seeds, into the rows with these settings."""
    rows = table
    for name, value in settings.items():
        rows = rows[rows[name] == value]
    table.loc[rows.sort_values("seed").index, column] = values


def test_the_verdict_on_the_lectures_claim_follows_the_counts(tables):
    normal = tables["normal"]
    set_for(normal, "blocked", [0.9, 0.9], activation="sigmoid", deviation=1)
    set_for(normal, "blocked", [0.1, 0.1], activation="relu", deviation=1)
    assert supported(saturation.findings(tables))["fewer_blocked"] == "yes"
    set_for(normal, "blocked", [0.2, 1.0], activation="relu", deviation=1)
    assert supported(saturation.findings(tables))["fewer_blocked"] == "inconclusive"


def test_the_mean_output_of_tanh_may_turn_out_not_to_be_zero(tables):
    set_for(tables["normal"], "mean", [0.1, 0.1001], activation="tanh", deviation=1)
    assert supported(saturation.findings(tables))["tanh_centred"] == "no"
    set_for(tables["normal"], "mean", [-0.1, 0.1], activation="tanh", deviation=1)
    assert supported(saturation.findings(tables))["tanh_centred"] == "inconclusive"


def test_pairs_are_counted_on_both_sides():
    z = torch.tensor([-10.0, -0.5, 0.5, 10.0], dtype=torch.float64)
    assert blocked_share("sigmoid", z) == 0.5
    assert blocked_share("tanh", z) == 0.5
    assert blocked_share("relu", z) == 0.5
    assert blocked_share("gelu", z) == 0.25  # like ReLU's far from zero, unlike it near


def test_a_unit_is_dead_only_if_it_is_off_for_every_image():
    z = torch.tensor([[1.0, -0.5, -0.5], [-1.0, -0.5, -0.5], [-1.0, -0.5, -10.0]], dtype=torch.float64)
    assert dead("relu", z).tolist() == [False, True, True]
    assert not dead("tanh", z).any()
    assert not dead("sigmoid", z).any()
    assert dead("tanh", torch.tensor([[9.0], [-9.0]], dtype=torch.float64)).tolist() == [True]  # saturated for all


def test_a_dead_relu_unit_is_one_with_negative_z_for_every_image(measured):
    relu = measured["dead"].query("activation == 'relu'")
    assert (relu["after"] == relu["negative"]).all()
    sigmoid = measured["dead"].query("activation == 'sigmoid' and rate == 3")
    assert (sigmoid["after"] < sigmoid["negative"]).any()  # for the sigmoid that count would mean something else


def test_a_high_rate_kills_relu_for_good_and_a_gentle_one_does_not():
    gentle, harsh = (kill_and_nurse("raw", "relu", rate, seed=0, steps=60) for rate in (0.1, 3.0))
    assert gentle["after"] < 0.1
    assert harsh["after"] > 0.5
    assert harsh["later"] >= harsh["after"]  # none comes back
    assert harsh["revived"] == 0
    assert kill_and_nurse("centred", "relu", 3.0, seed=0, steps=60)["after"] < 0.1


def test_too_high_is_the_first_rate_above_the_best_that_fails(tables):
    table = tables["dead"]
    chosen = dead_units.rates(tables).set_index(["pixels", "activation"])
    accuracy = table.groupby(["pixels", "activation", "rate"])["accuracy"].mean()
    loss = table.groupby(["pixels", "activation", "rate"])["loss"].mean()
    for key, row in chosen.iterrows():
        assert loss[(*key, row["best"])] == loss[key].min()
        failing = [rate for rate, mean in accuracy[key].items() if rate > row["best"] and mean < dead_units.FAILED]
        assert failing[:1] == ([row["too_high"]] if row["too_high"] == row["too_high"] else [])
    table.loc[table["activation"] == "relu", "after"] = 0.1
    said = supported(dead_units.findings(tables))
    assert said["relu_dies"] == said["gelu_dies_less"] == "no"


@pytest.mark.parametrize(("centred", "moved"), [("tanh", "tanh_moved"), ("sigmoid_centred", "sigmoid")])
def test_a_moved_net_starts_as_the_same_function_with_other_gradients(centred, moved):
    x = torch.rand(8, 64, generator=torch.Generator().manual_seed(0))
    outputs, gradients = [], []
    for name in (centred, moved):
        net = MovedNet(*VARIANTS[name], seed=3)
        output = net(x)
        output.square().sum().backward()
        outputs.append(output.detach())
        gradients.append(net.layers[-1].weight.grad)
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(*gradients, rtol=0.01)
    with torch.no_grad():
        z = torch.linspace(-3, 3, 13)
        function, move = VARIANTS[moved]
        assert {"tanh_moved": 1 + torch.tanh(z), "sigmoid": torch.sigmoid(z)}[moved].allclose(function(z) + move)


def test_each_function_is_judged_by_its_best_rate(tables):
    last, chosen = zero_centring.at_the_end(tables)
    losses = last.groupby(["variant", "rate"])["loss"].mean()
    assert set(chosen) == set(VARIANTS)
    assert all(losses[name, rate] == losses[name].min() for name, rate in chosen.items())


def test_most_families_means_more_than_half(tables):
    families = tables["families"]
    assert supported(defaults.findings(tables)) == {"most_use_gelu": "yes", "named_use_gelu": "yes"}
    families["gelu"] = (families["family"].isin(["bert", "openai-gpt", "vit"])).astype(int)
    assert supported(defaults.findings(tables)) == {"most_use_gelu": "no", "named_use_gelu": "no"}
