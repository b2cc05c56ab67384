"""The lab `optimizers`: its measures see what they are there to see, and its verdicts follow what was measured."""

from functools import partial

import numpy as np
import pytest
import torch
from lab_checks import check

from hf_llm.data.images import read_images
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.optimizers import identities as optimizer_identities
from hf_llm.experiments.optimizers import lab as optimizers
from hf_llm.experiments.optimizers import words as optimizer_words
from hf_llm.experiments.optimizers.images import ENTRANTS, lower_loss
from hf_llm.experiments.optimizers.surfaces import HOLD, TOLERANCE, descend, steps_to_arrive, valley, walked
from hf_llm.experiments.optimizers.tasks import ThreeParts, by_hand, by_the_loop, settings
from hf_llm.experiments.result import Words
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam


def nothing(done, total):
    pass


@pytest.fixture(scope="module")
def parts():
    return ThreeParts.read("digits")


@pytest.fixture(scope="module")
def result():
    return optimizers.run(ExperimentConfig(output_dir="unused", quick=True, data="digits"), nothing)


@pytest.mark.slow
def test_the_result_keeps_the_rules(result):
    check(result)


@pytest.mark.slow
def test_each_rule_searched_as_many_rates_and_took_the_best(result):
    rows = result.tables["race"].rows
    assert {len(row["searched_rates"]) for row in rows} == {3}
    for row in rows:
        assert row["rate"] == row["searched_rates"][int(np.argmin(row["searched_losses"]))]
        assert len(row["losses"]) == len(result.seeds)


@pytest.mark.slow
def test_the_claims_that_are_mathematics_hold_and_fail_as_they_must(result):
    said = {finding.claim.en: finding.supported for finding in result.findings}
    for rule, verdict in (("plain SGD", "yes"), ("SGD with momentum", "no"), ("Adam", "no")):
        assert said[f"For {rule}, L2 in the loss and decoupled decay are the same thing."] == verdict
    for claim in (
        "The five rules written from their formulas are torch.optim's, step by step.",
        "Adam without its first moment is RMSprop, with bias correction.",
        "Adam without its second moment is momentum, with bias correction.",
    ):
        assert said[claim] == "yes"


def test_a_rule_that_is_not_torchs_is_found_out(parts, monkeypatch):
    class Uncorrected(Adam):
        def direction(self, g, state, group):
            state["t"] = 10**9  # as if the averages had been running for ever
            return super().direction(g, state, group)

    pair = optimizer_identities.with_torch("Adam", Uncorrected, torch.optim.Adam, 1e-3)
    others = [other for other in optimizer_identities.PAIRS if other.kind != "torch"]
    monkeypatch.setattr(optimizer_identities, "PAIRS", [pair, *others])
    findings, tables, _ = optimizer_identities.compare_rules(parts, 1, True, nothing)
    assert findings[0].supported == "no"
    assert not tables["identities"].rows[0]["same"]


def test_the_loop_by_hand_gives_what_the_projects_loop_gives(parts):
    config = settings(3e-3, seed=1, steps=30, optimizer="adam")
    ours = by_hand(partial(Adam, betas=(0.9, 0.99)), parts.task(500, 1, parts.measure), config)
    theirs = by_the_loop(parts.task(500, 1, parts.measure), config)
    assert [record["step"] for record in ours] == [record["step"] for record in theirs] == list(range(3, 31, 3))
    for one, other in zip(ours, theirs):
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], rel=1e-4)


def test_settings_are_chosen_on_other_images_than_those_that_measure(parts):
    train = read_images("digits").train
    together = np.concatenate([parts.train.images, parts.choose.images, parts.measure.images])
    assert np.array_equal(together, train.images)
    assert len(parts.choose) > 100
    assert len(parts.measure) > 100


@pytest.mark.parametrize("name", ["sgd", "first alone"])
def test_a_run_that_diverges_is_never_chosen(name, parts):
    records = ENTRANTS[name].run(parts.task(500, 0, parts.choose), settings(1e9, seed=0, steps=20))
    assert len(records) == 10
    assert not np.nan_to_num(records[-1]["validation_loss"], nan=np.inf) < 10


def test_the_same_seed_gives_the_same_run(parts):
    runs = [
        ENTRANTS["second alone"].run(parts.task(500, 3, parts.measure), settings(1e-3, seed=3, steps=20))
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_a_lower_loss_is_judged_seed_by_seed():
    """Seeds differ by far more than the rules do; paired, the small advantage is certain."""
    base = np.array([0.1, 0.5, 0.9, 1.3, 1.7])
    rows = [
        {"key": key, "optimizer": Words(pt=key, en=key), "losses": [[9.0, loss] for loss in losses]}
        for key, losses in (("good", base), ("bad", base + 0.01 + 0.001 * np.arange(5)))
    ]
    claim = Words(pt="Melhora.", en="It helps.")
    assert lower_loss(rows, worse="bad", better="good", claim=claim).supported == "yes"
    assert lower_loss(rows, worse="good", better="bad", claim=claim).supported == "no"
    assert lower_loss(rows, worse="bad", better="good", claim=claim, at=0).supported == "unclear"


def test_descent_on_the_valley_is_its_closed_form():
    starts, rates = torch.tensor([[-1.5, 0.5], [1.0, 1.0]]).double(), torch.tensor([0.001, 0.01]).double()
    _, places = descend(SGD, valley, starts, rates, steps=50)
    factors = 1 - rates[:, None] * torch.tensor([1.0, 100.0])  # (R, 2)
    expected = factors[:, None] ** 50 * starts
    torch.testing.assert_close(places[-1], expected, rtol=1e-10, atol=1e-12)


def test_arriving_means_to_stay():
    steps, low = 3 * HOLD, TOLERANCE / 2
    stays = torch.ones(steps)
    stays[30:] = low
    crosses = torch.ones(steps)
    crosses[5] = low
    late = torch.ones(steps)
    late[-HOLD + 1 :] = low
    broken = torch.full((steps,), torch.nan)
    broken[0] = 1
    assert steps_to_arrive(torch.stack([stays, crosses, late, broken], dim=1)).tolist() == [30, *[torch.inf] * 3]


def test_a_run_that_jumps_above_its_start_does_not_count():
    assert walked(torch.tensor([[1.0, 1.0, 1.0], [0.5, 7.0, torch.nan], [0.1, 0.1, 0.1]])).tolist() == [
        True, False, False,
    ]  # fmt: skip


def test_words_are_grouped_by_how_often_they_occur():
    pairs = optimizer_words.Pairs.read()
    assert (pairs.occurrences.diff() <= 0).all()
    assert len(pairs.words) + 1 == pairs.occurrences.sum()
    lowest = [pairs.occurrences[pairs.group == number].min().item() for number in range(5)]
    highest = [pairs.occurrences[pairs.group == number].max().item() for number in range(5)]
    assert all(low >= bound for low, bound in zip(lowest, optimizer_words.GROUPS))
    assert all(high < bound for high, bound in zip(highest, optimizer_words.GROUPS[1:]))


def test_l2_on_words_that_never_occur_is_adam_at_full_speed():
    """The mechanism that the lab measures: no gradient but λw, divided by its own size."""
    rows = []
    for decoupled in (False, True):
        w = torch.full((3,), 0.05, requires_grad=True)
        optimizer = Adam([w], lr=0.01, weight_decay=1e-4, decoupled=decoupled)
        for _ in range(5):
            w.grad = torch.zeros(3)
            optimizer.step()
        rows.append(w.detach().abs().max().item())
    l2, apart = rows
    assert l2 < 0.005
    assert apart == pytest.approx(0.05 * (1 - 0.01 * 1e-4) ** 5)


def test_a_draw_larger_than_the_training_part_takes_all_of_it(parts):
    assert parts.task(10**6, 0, parts.choose).plan.samples == len(parts.train)
