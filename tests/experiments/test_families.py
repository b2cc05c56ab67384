"""Families: each model learns its own objective, sight and reach see what is there, gates by hand are torch's own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from hf_llm.experiments.families import context, gates, models, objectives, race, sight
from hf_llm.experiments.families.cells import read_on
from hf_llm.experiments.families.lab import LAB, settings
from hf_llm.experiments.families.models import CAUSAL, FAMILIES, QUICK, RECURRENT, new_task, read_parts
from hf_llm.experiments.families.unigram import Unigram, log_probabilities, unigram_bits
from hf_llm.experiments.frame import Study, Tables, select

TINY = replace(
    QUICK, vocab_size=300, n_head=2, n_embd=16, context=32, filled_context=32, step_tokens=128, steps=4, filled_steps=4,
    evaluations=2, search_steps=2, judged_tokens=600, windows=12,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tiny_on_the_sample(only_the_sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "QUICK", TINY)
        yield


@pytest.fixture(scope="module")
def parts():
    return read_parts(TINY)


@pytest.fixture(scope="module")
def measured() -> list[Tables]:
    return [LAB.measure(Study(range(2), quick=True)) for _ in range(2)]


def test_a_seed_repeats_all_but_the_times_and_every_finding_can_be_judged(measured):
    one, again = measured
    for name in set(one) - LAB.timed:
        pd.testing.assert_frame_equal(one[name], again[name], check_exact=True)
    assert set(one["objectives"]["family"]) == set(FAMILIES)
    assert (one["objectives"]["loading_error"] == 0).all()
    found = {finding.key: finding for finding in LAB.findings(one)}
    assert found["causal_ignore_the_future"].supported == found["gates_by_hand"].supported == "yes"
    assert settings(Study(range(1), quick=True))["data"] == "sample"
    LAB.quantities(one)


def test_the_families_have_about_the_same_number_of_parameters(measured):
    sizes = measured[0]["objectives"].groupby("family")["parameters"].first()
    assert sizes.max() / sizes.min() < 1.25
    assert max(sizes[list(CAUSAL)]) / min(sizes[list(CAUSAL)]) < 1.1


def test_the_unigram_is_what_counting_gives(parts):
    ids, tasks = parts.ids["train"], {family: new_task(family, parts, TINY, 0) for family in FAMILIES}
    logs = log_probabilities(ids, 300)
    assert np.exp(logs).sum() == pytest.approx(1)
    judged = {family: objectives.on_test(task, parts) for family, task in tasks.items()}
    test = parts.ids["test"][1:]
    causal = -logs[test].sum() / np.log(2) / judged["gpt"].byte_lengths[test].sum()
    assert unigram_bits("gpt", judged["gpt"], ids) == pytest.approx(causal)
    assert unigram_bits("bert", judged["bert"], ids) == pytest.approx(causal, rel=0.2)  # some of the same tokens
    # a worse guess at the same targets costs more: each sentinel, and the end, as rare as a token of the text
    flat = judged["t5"].evaluate(Unigram(log_probabilities(ids, len(judged["t5"].tokenizer))))["bits_per_byte"]
    assert unigram_bits("t5", judged["t5"], ids) < flat


def test_a_model_that_reads_the_right_side_is_found_out(parts):
    """What BERT and T5 do, and what no causal model can."""
    for family in FAMILIES:
        task = new_task(family, parts, TINY, 0)
        with torch.no_grad():
            for parameter in task.model.parameters():
                parameter.mul_(3)  # far from indifferent
        change = sight.look(family, task, parts, TINY, 0)["future"][0]["largest"]
        assert (change > 1e-3) == (family not in CAUSAL)


class Copier(torch.nn.Module):
    """Predicts, of ten tokens, the one that stood `back` places before the last; certain by `sharp`."""

    def __init__(self, back: int, sharp: float = 5.0):
        super().__init__()
        self.back, self.sharp = back, sharp

    def forward(self, input_ids, **others):
        past = torch.nn.functional.pad(input_ids, (self.back - 1, 0))[:, : input_ids.shape[1]]
        return type("Output", (), {"logits": self.sharp * torch.nn.functional.one_hot(past, 300).float()})


def test_reach_finds_the_token_that_a_model_looks_at(parts):
    task = new_task("gpt", parts, TINY, 0)
    task.model = Copier(back=4)
    rows = context.reach(task, parts.ids["test"].astype(np.int64), TINY, 0)
    influence = {row["distance"]: row["influence"] for row in rows}
    assert influence[4] > 0.1
    assert all(value < 1e-9 for distance, value in influence.items() if distance != 4)


def test_near_and_far_are_the_same_tokens_and_a_model_without_memory_gains_nothing(parts):
    task = new_task("gpt", parts, TINY, 0)
    task.model = Copier(back=1)
    gains = context.look("gpt", task, parts, TINY, 0)["gains"][0]
    assert gains["near"] == pytest.approx(gains["far"], rel=1e-6)
    task.model = Copier(back=20)  # more than half a window of 32: only the later positions have it
    gains = context.look("gpt", task, parts, TINY, 0)["gains"][0]
    assert gains["near"] != pytest.approx(gains["far"], rel=1e-3)


@pytest.mark.parametrize("family", RECURRENT)
def test_cells_by_hand_are_torchs_own_and_a_held_gate_is_held(parts, family):
    model = new_task(family, parts, TINY, 0).model
    inputs = torch.randn(3, 9, model.config.n_embd)
    by_hand, used = read_on(model.recurrent, inputs)
    torch.testing.assert_close(by_hand, model.recurrent(inputs)[0], rtol=1e-4, atol=1e-5)
    keep = gates.KEEPING[family]
    average = [layer[keep].mean(dim=(0, 1)) for layer in used]
    for name, value in (("shut", 0.0), ("open", 1.0)):
        _, held = read_on(model.recurrent, inputs, gates.holding(keep, average)[name])
        assert all((layer[keep] == value).all() for layer in held)
        assert not any((layer[gate] == value).all() for layer in held for gate in layer if gate != keep)


def test_half_life():
    halves = [{"forget": torch.full((2, 3, 4), 0.5)}, {"forget": torch.full((2, 3, 4), 0.5**0.1)}]
    assert [row["middle"] for row in gates.memory_rows(halves, "lstm", "after")] == pytest.approx([1, 10])


def test_only_recurrent_models_wait_longer_for_a_longer_row(measured):
    found = {family: race.operations(measured[0], family) for family in CAUSAL}
    assert found["gpt"][0] == found["gpt"][1]
    for family in RECURRENT:
        assert found[family][1] > 4 * found[family][0]


def test_the_longest_chain_of_a_formula():
    x = torch.ones(1, requires_grad=True)
    assert race.longest_chain((x * 2 + 1).exp() + x) == 5  # accumulate, multiply, add, exp, add


def test_after_the_same_time_the_slower_one_has_seen_less():
    curve = [
        {"family": family, "seed": 0, "step": step, "bits": 4 - step / 100} for family in CAUSAL for step in (0, 100)
    ]
    speed = [
        {"family": family, "seed": 0, "length": length, "seconds": 0.2 if family == "gpt" else 0.1}
        for family in CAUSAL for length in (16, 128, 1024)
    ]  # fmt: skip
    bits = race.same_time({"curves": pd.DataFrame(curve), "speed": pd.DataFrame(speed)}).set_index("family")["bits"]
    assert bits["lstm"] == pytest.approx(3.0)
    assert bits["gpt"] == pytest.approx(3.5)
    assert select(pd.DataFrame(curve), family="gpt")["step"].max() == 100


def test_the_gap_of_t5_is_where_it_is_said_to_be(parts):
    task, windows = new_task("t5", parts, TINY, 0), np.arange(1, 65).reshape(2, 32)
    for place, length in ((16, 1), (16, 4), (31, 1), (0, 1)):
        batch, first = sight.with_gap(task, windows, place, length)
        assert batch["labels"][:, first : first + length].tolist() == windows[:, place : place + length].tolist()
        assert batch["labels"].shape == task.batch(0, 0, 0)["labels"][:2].shape  # as long as in training
