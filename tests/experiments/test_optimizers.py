"""The experiment `optimizers`: its measures see what they are there to see, its verdicts follow what was measured."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from hf_llm.data.images import read_images
from hf_llm.experiments.frame.study import Study, by_seed, select
from hf_llm.experiments.optimizers import decay, frequent_and_rare, identities, next_word, race, surfaces, word_decay
from hf_llm.experiments.optimizers.next_word import GROUPS, WordPairs
from hf_llm.experiments.optimizers.race import ENTRANTS
from hf_llm.experiments.optimizers.surfaces import valley, walked
from hf_llm.experiments.optimizers.tasks import ThreeParts, by_hand, by_the_loop, settings
from hf_llm.experiments.shared.descent import HOLD, TOLERANCE, descend, steps_to_arrive
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


@pytest.fixture(scope="module")
def parts():
    return ThreeParts.read("digits")


def test_the_identities_hold_and_fail_as_they_must():
    said = supported(identities.findings(identities.measure(Study(range(1), quick=True))))
    assert said == {
        "formulas_are_torchs": "yes",
        "adam_is_both": "yes",
        "decays_are_one_for_sgd": "yes",
        "decays_are_one_for_momentum": "no",
        "decays_are_one_for_adam": "no",
    }


def test_a_rule_that_is_not_torchs_is_found_out(monkeypatch):
    class Uncorrected(Adam):
        def direction(self, g, state, group):
            state["t"] = 10**9  # as if the averages had been running for ever
            return super().direction(g, state, group)

    pair = identities.with_torch(Uncorrected, torch.optim.Adam, 1e-3)
    monkeypatch.setattr(identities, "PAIRS", {**identities.PAIRS, "torch_adam": pair})
    monkeypatch.setattr(identities, "STEPS", 3)
    tables = identities.measure(Study(range(1), quick=True))
    assert supported(identities.findings(tables))["formulas_are_torchs"] == "no"
    assert select(tables["identities"], pair="torch_adam")["distance"].item() > identities.TOLERANCE


def test_each_rule_searches_as_many_rates_and_takes_the_best(monkeypatch):
    monkeypatch.setattr(race, "STEPS", (4, 4))
    tables = race.measure(Study(range(2), quick=True))
    search = tables["search"]
    assert (search.groupby("optimizer")["rate"].nunique() == 3).all()
    assert search["seed"].unique().tolist() == [0]
    for name, rate in race.chosen_rates(search).items():
        rows = select(search, optimizer=name)
        assert rate == rows["rate"].iloc[int(rows["loss"].argmin())]
        assert len(by_seed(tables["race"], "loss", optimizer=name, step=4)) == 2


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


@pytest.mark.parametrize("name", ["sgd", "without_v"])
def test_a_run_that_diverges_is_never_chosen(name, parts):
    records = ENTRANTS[name].run(parts.task(500, 0, parts.choose), settings(1e9, seed=0, steps=20))
    assert len(records) == 10
    assert not np.nan_to_num(records[-1]["validation_loss"], nan=np.inf) < 10


def test_the_same_seed_gives_the_same_run(parts):
    runs = [
        ENTRANTS["without_m"].run(parts.task(500, 3, parts.measure), settings(1e-3, seed=3, steps=20)) for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_a_lower_loss_is_judged_seed_by_seed():
    """Seeds differ by far more than the rules do; paired, the small advantage is certain."""
    base = {"adam": np.array([0.1, 0.5, 0.9, 1.3, 1.7])}
    base |= {name: base["adam"] + 0.01 + 0.001 * np.arange(5) for name in ENTRANTS if name != "adam"}
    base["sgd"] = base["momentum"] - 0.01
    rows = [
        {"optimizer": name, "seed": seed, "step": step, "loss": loss if step == 10 else 9.0}
        for name, losses in base.items() for seed, loss in enumerate(losses) for step in (1, 10)
    ]  # fmt: skip
    said = supported(race.findings({"race": pd.DataFrame(rows)}))
    assert said["adam_on_images"] == "yes"
    assert said["momentum_on_images"] == "no"
    assert said["adam_early_on_images"] == "no"  # at the first evaluation nobody is ahead


def test_the_decay_is_chosen_by_other_images_than_those_that_measure():
    rows = [
        {"method": method, "decay": size, "seed": seed, "accuracy": 0.5 + 0.1 * (size == 3.0),
         "accuracy_to_choose_by": 0.5 + 0.1 * (size == best)}
        for method, best in (("l2", 0.0), ("decoupled", 3.0)) for size in (0.0, 1.0, 3.0) for seed in range(5)
    ]  # fmt: skip
    said = supported(decay.findings({"decays": pd.DataFrame(rows)}))
    assert said == {"decoupled_over_l2": "yes", "decoupled_over_none": "yes", "l2_over_none": "no"}


def test_descent_on_the_valley_is_its_closed_form():
    starts, rates = torch.tensor([[-1.5, 0.5], [1.0, 1.0]]).double(), torch.tensor([0.001, 0.01]).double()
    _, positions = descend(SGD, valley, starts, rates, steps=50)
    factors = 1 - rates[:, None] * torch.tensor([1.0, 100.0])  # (R, 2)
    expected = factors[:, None] ** 50 * starts
    torch.testing.assert_close(positions[-1], expected, rtol=1e-10, atol=1e-12)


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


def test_the_seed_varies_where_a_walk_begins(monkeypatch):
    monkeypatch.setattr(surfaces, "SURFACES", {name: surfaces.SURFACES[name] for name in ("valley", "turned")})
    tables = surfaces.measure(Study(range(2), quick=True))
    assert by_seed(tables["descents"], "loss", surface="valley", optimizer="sgd", step=0).std() > 0
    assert np.array_equal(*(by_seed(tables["arrivals"], "steps", surface=name, optimizer="sgd")
                            for name in ("valley", "turned")))  # fmt: skip


def test_words_are_grouped_by_how_often_they_occur():
    pairs = WordPairs.read()
    assert (pairs.occurrences.diff() <= 0).all()
    assert len(pairs.words) + 1 == pairs.occurrences.sum()
    lowest = [pairs.occurrences[pairs.group == number].min().item() for number in range(5)]
    highest = [pairs.occurrences[pairs.group == number].max().item() for number in range(5)]
    assert all(low >= bound for low, bound in zip(lowest, GROUPS))
    assert all(high < bound for high, bound in zip(highest, list(GROUPS)[1:]))


def test_what_is_kept_is_relative_to_the_same_seed_without_decay(monkeypatch):
    monkeypatch.setattr(next_word, "STEPS", (5, 5))
    table = word_decay.measure(Study(range(2), quick=True))["word_decay"]
    assert (select(table, method="none")["kept"] == 1).all()
    assert (select(table, method=["l2", "decoupled"])["kept"] != 1).all()


def test_every_rule_on_words_is_trained_with_every_seed(monkeypatch):
    monkeypatch.setattr(next_word, "STEPS", (2, 2))
    tables = frequent_and_rare.measure(Study(range(2), quick=True))
    for rule in frequent_and_rare.RULES:
        assert len(by_seed(tables["words"], "loss", optimizer=rule)) == 2
    assert set(supported(frequent_and_rare.findings(tables))) == {"adam_on_words", "sgd_lacks_rare_words"}


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
