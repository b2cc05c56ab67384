"""Dropout in a Transformer: each place drops alone, both modes are what is said of them, verdicts follow the data."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from lab_checks import check

from hf_llm.data import MissingData, read_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.report import result_as_dict
from hf_llm.experiments.transformer_dropout import cells, lab, tables
from hf_llm.experiments.transformer_dropout.cells import QUICK, JudgedOnAllParts, TextParts, train_cell, whole_windows
from hf_llm.experiments.transformer_dropout.findings import effect_findings
from hf_llm.experiments.transformer_dropout.library import NoteDropout, dropouts, library_findings, library_rows
from hf_llm.experiments.transformer_dropout.measures import picked
from hf_llm.experiments.transformer_dropout.mode_findings import mode_findings
from hf_llm.experiments.transformer_dropout.passes import bits_per_byte, compare_modes, dropping_passes, entropy
from hf_llm.experiments.transformer_dropout.sites import SETTINGS, SITES, dropping_gpt2, places
from hf_llm.experiments.transformer_dropout.words import SAMPLE_CAVEAT

SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 16}
TINY = replace(
    QUICK, shape=SHAPE, steps=4, evaluations=2, passes=3, vocab_size=300, training=QUICK.training | {"warmup_steps": 0}
)
VOCAB = {"vocab_size": 300}


def without_the_verdict(source):
    if source == "the-verdict":
        raise MissingData("not here")
    return read_text(source)


@pytest.fixture(scope="module")
def parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "read_text", without_the_verdict)
        return TextParts.read(TINY.vocab_size)


@pytest.fixture(scope="module")
def library():
    return library_rows()


@pytest.fixture(scope="module")
def results(library):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "read_text", without_the_verdict)
        patch.setattr(lab, "QUICK", TINY)
        patch.setattr(tables, "library_rows", lambda: library)
        config = ExperimentConfig(output_dir="", quick=True, data="digits")
        return [lab.run(config, lambda *_: None) for _ in range(2)]


def supported(findings) -> dict[str, str]:
    return {finding.claim.en: finding.supported for finding in findings}


def test_the_result_keeps_the_rules_and_a_seed_repeats_it(results):
    result, again = results
    check(result)
    assert result_as_dict(again) == result_as_dict(result)
    assert [(row["setting"], row["p"]) for row in result.tables["summary"].rows] == [
        ("none", 0.0), *((setting, 0.3) for setting in SETTINGS)
    ]  # fmt: skip
    assert len(result.tables["curves"].rows) == 8 * TINY.evaluations


def test_the_sample_takes_the_place_of_a_missing_text_and_the_result_says_so(results):
    assert results[0].settings["data"] == "sample"
    assert SAMPLE_CAVEAT in results[0].caveats


def test_the_three_parts_are_the_text(parts):
    text = read_text("sample").text
    decoded = [parts.tokenizer.decode(ids[1:]) for ids in parts.ids.values()]
    assert "".join(decoded) == text
    assert [round(len(part) / len(text), 2) for part in decoded] == [0.8, 0.1, 0.1]


@pytest.mark.parametrize("setting", SETTINGS)
def test_dropout_acts_at_the_sites_of_the_setting_and_nowhere_else(setting):
    model = dropping_gpt2(SHAPE | VOCAB, setting, 0.25, seed=0).train()
    modules = dict(model.named_modules())
    inputs = torch.randint(300, (1, 7))
    with NoteDropout() as noted:
        model(inputs)
    active = {(path.partition(".")[2], p) for path, shape, p in noted.calls if p > 0 and shape[-2:] != (7, 7)}
    assert active == {
        (name, 0.25)
        for site in set(SETTINGS[setting]) - {"attention"}
        for name, module in modules.items()
        if module in places(model, site)
    }
    weights = [p for _, shape, p in noted.calls if shape[-2:] == (7, 7)]
    assert weights == [0.25 if "attention" in SETTINGS[setting] else 0.0] * SHAPE["n_layer"]


def test_sites_have_the_modules_that_gpt2_has():
    model = dropping_gpt2(SHAPE | VOCAB, "all", 0.5, seed=0)
    assert [len(places(model, site)) for site in SITES] == [1, 2, 2, 2]
    dropouts_of_model = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    assert {module for site in SITES for module in places(model, site)} == set(dropouts_of_model)


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
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.tokenizer)}, "all", 0.3, seed=0).eval()
    ids = parts.ids["test"][: 3 * 16 + 1]
    (one,) = dropping_passes(dropping_gpt2({**SHAPE, "vocab_size": len(parts.tokenizer)}, "all", 0.0, seed=0),
                             whole_windows(ids, 16)[:, :-1], passes=1)  # fmt: skip
    ours = bits_per_byte(one.logs, whole_windows(ids, 16)[:, 1:].flatten(), parts.byte_lengths)
    theirs = evaluate_tokens(model, ids, parts.byte_lengths, stride=16, context=16).bits_per_byte
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_entropy_of_equal_chances_is_their_logarithm():
    assert entropy(torch.full((3, 8), math.log(1 / 8))) == pytest.approx(3)


def test_windows_tile_the_text():
    windows = whole_windows(np.arange(11), 5)
    assert windows.tolist() == [[0, 1, 2, 3, 4, 5], [5, 6, 7, 8, 9, 10]]


def test_looking_does_not_change_the_training(parts):
    often, once = (
        train_cell(parts, replace(TINY, evaluations=evaluations), "all", 0.3, seed=0) for evaluations in (4, 1)
    )
    assert often["step"] == [1, 2, 3, 4]
    assert often["train"][-1] == once["train"][-1]
    assert often["modes"] == once["modes"]
    assert often["validation"][often["kept"]] == min(often["validation"])


def test_a_model_is_judged_without_dropping_and_reported_with_it(parts):
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.tokenizer)}, "all", 0.5, seed=0)
    dropping = JudgedOnAllParts(model, parts, TINY, seed=0).evaluate(model)
    model = dropping_gpt2({**SHAPE, "vocab_size": len(parts.tokenizer)}, "all", 0.0, seed=0)
    calm = JudgedOnAllParts(model, parts, TINY, seed=0).evaluate(model)
    assert {name for name in calm if calm[name] != dropping[name]} == {"train_dropping"}
    # the excerpt of the training text is as long as the validation part, give or take a window
    assert calm["train_dropping"] == pytest.approx(calm["train"], abs=0.02)


def test_the_library_is_counted_as_it_runs(library):
    rows = {row["family"]: row for row in library}
    assert all(row["elsewhere"] is None for row in rows.values())
    assert rows["GPT-2"]["active"] == 1 + 12 * 3
    assert rows["GPT-2"]["named"] == 24 / 37
    # encoder and decoder, 6 layers each: attention, feed-forward with one dropout inside; both ends of both
    assert rows["T5"]["active"] == 6 * (2 + 2) + 6 * (4 + 2) + 4
    assert [rows["T5"][place] for place in ("embedding", "attention", "projection", "inside", "feed_forward")] == [
        0.1
    ] * 5
    assert (rows["Llama"]["attention"], rows["Llama"]["projection"], rows["Llama"]["active"]) == (0.0, None, 0)
    said = supported(library_findings(library))
    assert list(said.values()) == ["yes", "no", "no"]


def test_a_dropout_that_a_configuration_asks_for_is_seen(monkeypatch):
    from transformers import AutoConfig

    real = AutoConfig.for_model
    monkeypatch.setattr(AutoConfig, "for_model", lambda name: real(name, attn_pdrop=0.4, resid_pdrop=0.0))
    assert set(dropouts("gpt2")) == {("attention", 0.4), ("projection", 0.0), ("feed_forward", 0.0), ("embedding", 0.1)}


THREE = replace(TINY, probabilities=(0.1, 0.3, 0.5))


def made_up(gain):
    """Return runs of two seeds in which `gain(setting, p)` is what dropout saves on validation and on the test."""
    runs = {}
    for setting, p in [("all", 0.0), *((setting, p) for setting in SETTINGS for p in THREE.probabilities)]:
        for seed in (0, 1):
            saved = gain(setting, p) + 1e-5 * seed * p if p else 0.0
            runs[setting, p, seed] = {
                "kept": 1, "step": [1, 2, 3],
                "train": [3.0, 2.5, 2.0 + p], "train_dropping": [3.0, 2.6, 2.1 + p * (1 + 1e-4 * seed)],
                "validation": [3.1, 2.9 - saved, 3.3 + 0.01 * seed], "test": [3.0, 2.8 - saved + 0.01 * seed, 3.2],
                "modes": {
                    "evaluation": 3.2, "training": 3.2 + p * (1 + 1e-4 * seed), "averaged": 3.1 + 1e-4 * seed,
                    "repeated": 0.0, "row_off": p, "row_sum": 1.001,
                    "same_token": 0.9 - p * (1 + 1e-4 * seed),
                },
            }  # fmt: skip
    return runs


def test_the_verdicts_on_places_follow_the_runs():
    worth = {"named": 0.2, "others": 0.1, "all": 0.05, "embedding": -0.1, "attention": 0.02, "projection": 0.03}
    found = effect_findings(made_up(lambda setting, p: worth.get(setting, 0.3) * (1 - p)), THREE, [0, 1])
    said = supported(found)
    better = "With dropout {}, the best model predicts the test better than the best without dropout"
    assert said[better.format("at the embedding")] == "no"
    assert said[better.format("on the attention weights")] == "yes"
    assert said["Dropout at the lecture's two places helps more than at the other two"] == "yes"
    assert said["Dropout at all four places helps more than at the lecture's two alone"] == "no"
    assert [said[claim] for claim in said if "brings training and validation closer" in claim] == ["yes"] * 5
    assert [said[claim] for claim in said if claim.startswith("At all four places the largest p")] == ["no"]
    assert found[0].supported == "yes"
    assert found[0].value == pytest.approx(3.305 - 2.9)


def test_validation_picks_and_the_test_judges():
    runs = made_up(lambda setting, p: 0.1)
    for seed in (0, 1):
        runs["all", 0.3, seed]["validation"][1] -= 0.5
        runs["all", 0.3, seed]["test"][1] += 0.5 + 1e-5 * seed
        runs["all", 0.1, seed]["test"][1] -= 0.5
    assert picked(runs, THREE, "all", [0, 1]) == 0.3
    claim = "With dropout at all four places, the best model predicts the test better than the best without dropout"
    assert supported(effect_findings(runs, THREE, [0, 1]))[claim] == "no"


def test_the_verdicts_on_modes_follow_the_runs():
    runs = made_up(lambda setting, p: 0.1)
    right = [finding.supported for finding in mode_findings(runs, THREE, [0, 1])]
    assert right == ["yes", "yes", "yes", "no", "yes", "no", "no", "yes", "yes"]
    for run in runs.values():
        run["modes"] |= {"repeated": 0.1, "row_off": 0.0, "row_sum": 1.5}
    runs["all", 0.0, 0]["modes"]["training"] += 0.1
    wrong = [finding.supported for finding in mode_findings(runs, THREE, [0, 1])]
    assert wrong == ["no", "no", "yes", "no", "yes", "no", "yes", "no", "yes"]
