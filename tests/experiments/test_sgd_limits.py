"""The limits of SGD: rules do what they say, groups and shares add up, controls fail where they must."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hf_llm.experiments.frame.study import Study, Tables
from hf_llm.experiments.sgd_limits import memory, race, rare_tokens, regression, rules, text_model, token_frequencies
from hf_llm.experiments.sgd_limits.regression import SPREADS, Regression
from hf_llm.experiments.sgd_limits.rules import RULES, fit, one_scale, rates_around, signs, trial
from hf_llm.experiments.sgd_limits.text_model import QUICK, TENTHS, frequency_tenths, new_task, read_parts, rms
from hf_llm.experiments.sgd_limits.token_frequencies import PARTNER, GeneratedText, draw_text
from hf_llm.experiments.shared.short_run import SEARCH_SEED

SHAPE = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 16}
TINY = replace(
    QUICK, characters=12_000, vocab_size=300, steps=4, batch=4, judged=20, evaluations=2, shape=SHAPE
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tiny_on_the_sample(only_the_sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_model, "QUICK", TINY)
        yield


@pytest.fixture(scope="module")
def raced() -> Tables:
    return race.measure(Study(range(2), quick=True))


def supported(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_rescaled_gradients_are_what_they_are_called():
    weight = nn.Parameter(torch.zeros(3, 4))
    weight.grad = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)) * 1e-3
    pattern = weight.grad.sign()
    one_scale(weight)
    assert rms(weight.grad) == pytest.approx(1.0, rel=1e-5)
    signs(weight)
    assert torch.equal(weight.grad, pattern)


def test_a_step_by_signs_moves_every_weight_by_the_rate():
    task = Regression(1.0, seed=0)
    fit(task, "signs", 0.25, steps=1, warmup_steps=0)
    moved = torch.cat([weight.detach().flatten() for weight in task.model.parameters()])
    assert torch.allclose(moved.abs(), torch.tensor(0.25))


def test_each_rule_searches_as_many_rates_with_a_seed_of_its_own_and_takes_the_best(raced):
    search = raced["search"]
    assert set(search["optimizer"]) == set(RULES)
    assert (search.groupby("optimizer")["rate"].nunique() == len(rates_around(1.0, Study(range(1), quick=True)))).all()
    assert search["seed"].unique().tolist() == [SEARCH_SEED]
    for name, rate in race.chosen_rates(search)["rate"].items():
        rows = search[search["optimizer"] == name]
        assert rate == rows["rate"].iloc[int(rows["loss"].argmin())]


def test_the_same_seed_gives_the_same_tables(raced):
    again = race.measure(Study(range(2), quick=True))
    for name, table in raced.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)


def test_all_rules_start_at_the_same_weights_and_the_longer_run_is_longer(raced):
    before = raced["blocks"].pivot_table(index=["seed", "block"], columns="optimizer", values="gradient_before")
    assert (before.sub(before["sgd"], axis=0) == 0).all().all()
    steps = raced["curves"].groupby("times")["step"].max()
    assert steps[race.LONGER] == race.LONGER * steps[1] == race.LONGER * TINY.steps


def test_a_run_that_diverges_counts_as_the_worst():
    assert trial(Regression(1.0, seed=0), "momentum", 1e30, steps=20, max_grad_norm=0.0) == np.inf


def test_tenths_go_from_rare_to_frequent_and_each_is_a_tenth_of_the_text():
    parts = read_parts(TINY)
    ids, vocab = parts.ids["train"], len(parts.corpus.tokenizer)
    groups, counts = frequency_tenths(ids, vocab), np.bincount(ids, minlength=vocab)
    for group in range(1, TENTHS):
        assert counts[groups == group - 1].max(initial=0) <= counts[groups == group].min(initial=len(ids))
    shares = np.bincount(groups[ids], minlength=TENTHS) / len(ids)
    assert shares.sum() == pytest.approx(1)
    assert np.abs(shares - 1 / TENTHS).max() <= counts.max() / len(ids)
    assert (groups[counts == 0] == 0).all()


def groups_table(gaps: list[float]) -> Tables:
    """Return losses of which SGD with momentum is `gaps` above Adam, from rare to frequent tokens."""
    return {"groups": pd.DataFrame([
        {"optimizer": name, "times": 1, "seed": seed, "part": "test", "tenth": tenth + 1, "share": 1 / TENTHS,
         "loss": 5.0 + 0.01 * seed + (gap * (1 + 0.01 * seed) if name == "momentum" else 0.0)}
        for name in ("momentum", "adam") for seed in range(3) for tenth, gap in enumerate(gaps)
    ])}  # fmt: skip


def test_the_share_of_the_gap_is_told_from_the_gap_per_token():
    alike, rare_alone = groups_table([0.1] * TENTHS), groups_table([1.0] + [0.0] * (TENTHS - 1))
    # five times the gap per token and still not most of the gap
    mixed = groups_table([0.5] + [0.1] * (TENTHS - 1))
    verdicts = [supported(rare_tokens.findings(tables)) for tables in (alike, mixed, rare_alone)]
    assert [said["more_behind_on_rare"] for said in verdicts] == ["no", "yes", "yes"]
    assert [said["most_of_gap_is_rare"] for said in verdicts] == ["no", "no", "yes"]
    assert np.mean([rare_tokens.share_of_gap(mixed, tenth + 1) for tenth in range(TENTHS)]) == pytest.approx(0.1)


def test_a_gap_in_nats_need_not_be_one_in_proportion():
    losses = {1: 7.0, TENTHS: 1.0}
    tables = {"groups": pd.DataFrame([
        {"optimizer": name, "times": 1, "seed": seed, "part": "test", "tenth": tenth, "share": 1 / TENTHS,
         "loss": losses.get(tenth, 3.0) * (1 + 0.001 * seed) * (1.1 if name == "momentum" else 1.0)}
        for name in ("momentum", "adam") for seed in range(3) for tenth in range(1, TENTHS + 1)
    ])}  # fmt: skip
    verdicts = supported(rare_tokens.findings(tables))
    assert verdicts["more_behind_on_rare"] == "yes"
    assert rare_tokens.relative(tables, 1) == pytest.approx(rare_tokens.relative(tables, TENTHS))


def test_a_finer_grid_gains_what_a_parabola_says_and_nothing_at_an_edge():
    def search(losses: list[float]) -> pd.DataFrame:
        return pd.DataFrame({"optimizer": "adam", "rate": 10.0 ** np.arange(len(losses)), "loss": losses})

    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert race.finer(search(list(5 + (x - 0.25) ** 2))) == pytest.approx(0.25**2)
    assert race.finer(search([1.0, 2.0, 3.0])) == race.finer(search([2.0, 1.0, np.inf])) == 0.0


def test_the_step_at_which_the_longer_training_has_caught_up():
    curves = [("adam", 1, 0, 10, 5.0), ("adam", 1, 1, 10, 1.0)]
    curves += [("momentum", race.LONGER, seed, step, 7.0 - step / 10) for seed in range(2) for step in (10, 20, 30)]
    table = pd.DataFrame(curves, columns=["optimizer", "times", "seed", "step", "validation"])
    assert race.reached({"curves": table}).tolist() == [20.0, 30.0]  # the second one never does: the last step


def test_the_losses_of_all_groups_sum_to_the_whole_loss():
    parts, task = read_parts(TINY), new_task(read_parts(TINY), TINY, seed=0)
    windows = text_model.windows_of(parts.ids["test"], TINY)
    groups = frequency_tenths(parts.ids["train"], len(parts.corpus.tokenizer))
    rows = text_model.losses_by_group(task.model, windows, groups)
    whole = task.model.eval()(
        input_ids=windows[:, :-1], labels=windows[:, :-1], shift_labels=windows[:, 1:].contiguous()
    ).loss.item()
    assert sum(row["share"] * row["loss"] for row in rows) == pytest.approx(whole, rel=1e-5)
    assert sum(row["share"] for row in rows) == pytest.approx(1)


def test_generated_texts_differ_in_frequencies_alone():
    for kind, tokens in (("uniform", 40), ("zipf", 40)):
        text, truth = draw_text(kind, tokens, seed=0)
        counts = np.bincount(text, minlength=tokens)
        assert (counts.max() / counts.min() < 1.3) == (kind == "uniform")
        followed = (text[1:] == text[:-1] ^ 1).mean()  # now and then the partner is drawn as any other token
        assert PARTNER < followed < PARTNER + 0.12
        # the true -ln p is that of a distribution: its mean is no larger than that of another one, as of the marginal
        assert truth[1:].mean() < -np.log(counts[text[1:]] / len(text)).mean()


def test_nothing_is_below_the_true_loss_of_a_generated_text():
    class Oracle(nn.Module):
        def forward(self, input_ids, labels, shift_labels):
            p = torch.full((*input_ids.shape, 40), (1 - PARTNER) / 40)
            p.scatter_add_(2, (input_ids ^ 1)[..., None], torch.full((*input_ids.shape, 1), PARTNER))
            loss = nn.functional.nll_loss(p.log().flatten(0, 1), shift_labels.flatten())
            return type("Output", (), {"loss": loss})

    task = GeneratedText("uniform", 40, seed=0)
    assert task.evaluate(Oracle())["validation_loss"] == pytest.approx(0, abs=1e-5)
    assert task.evaluate(task.model)["validation_loss"] > 0.3


def test_the_control_finds_adam_ahead_only_where_features_differ_in_scale(monkeypatch):
    monkeypatch.setattr(regression, "STEPS", (300, 300))
    monkeypatch.setattr(regression, "COMPARED", ("momentum", "adam"))
    monkeypatch.setattr(rules, "HALF", (0, 0))
    said = supported(regression.findings(regression.measure(Study(range(3), quick=True))))
    assert said["adam_ahead_on_scaled"] != "yes"
    assert said["adam_ahead_on_unscaled"] == "yes"


def test_the_excess_of_a_regression_is_zero_at_the_least_squares_solution():
    task = Regression(SPREADS["scaled"], seed=0)
    assert task.evaluate(task.model)["validation_loss"] > 1
    fit(task, "momentum", 0.003, steps=300, max_grad_norm=0.0)
    assert 0 <= task.evaluate(task.model)["validation_loss"] < 0.01


def test_states_hold_nothing_one_or_two_numbers_a_parameter():
    tables = memory.measure(Study(range(1), quick=True))
    counters = 4 * len(list(new_task(read_parts(TINY), TINY, 0).model.parameters()))
    rows = tables["memory"].set_index("optimizer")
    parameters = rows["parameters"].iloc[0]
    assert rows["bytes"].to_dict() == {
        "sgd": 0, "momentum": 4 * parameters, "adam": 8 * parameters + counters, "adamw": 8 * parameters + counters,
    }  # fmt: skip
    assert memory.gigabytes(tables, "adam", "gpt2_small") == pytest.approx(8 * 0.124439808)
    assert supported(memory.findings(tables)) == {"adam_stores_twice": "yes", "sgd_stores_nothing": "yes"}


def test_the_quick_version_of_the_generated_text_runs(monkeypatch):
    monkeypatch.setattr(token_frequencies, "STEPS", (8, 8))
    monkeypatch.setattr(token_frequencies, "LENGTH", 10_000)
    tables = token_frequencies.measure(Study(range(2), quick=True))
    assert len(tables["generated"]) == 2 * 2 * 2 * 8
    assert {finding.key for finding in token_frequencies.findings(tables)} == {
        "behind_on_zipf", "behind_on_uniform", "zipf_widens_gap", "zipf_widens_ratio",
    }  # fmt: skip
