"""GPT-2's anatomy: a variant lacks what it says and nothing else, and what looks into it sees what was put there."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from hf_llm.experiments.frame.study import Study, Tables
from hf_llm.experiments.gpt2_anatomy import embedding_table, flattened, importance, looks, removed, training
from hf_llm.experiments.gpt2_anatomy.lab import LAB, settings
from hf_llm.experiments.gpt2_anatomy.order import BLIND, largest_change, position_read, shuffled
from hf_llm.experiments.gpt2_anatomy.training import QUICK, VARIANTS
from hf_llm.experiments.gpt2_anatomy.variants import PARTS, gpt2_without, lift_causal_mask, sinusoids
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.models.gpt2 import gpt2_config, new_gpt2

SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 12, "vocab_size": 300}
TINY = replace(
    QUICK, steps=3, search_steps=1, evaluations=1, scored=100, windows=10, masked_windows=2,
    context=20, heads=2, width=16, vocab_size=400,
)  # fmt: skip
IDS = torch.randint(300, (3, 12), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", autouse=True)
def tiny_on_the_sample(only_the_sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "QUICK", TINY)
        # the sample has hardly a word of Shakespeare's
        patch.setattr(
            embedding_table, "WORD_CLASSES", {"pronoun": "a o um uma os as the it", "verb": "is was de da do e to in"}
        )
        yield
    for cached in (training.trained, training.trial, training.read_parts):
        cached.cache_clear()


@pytest.fixture(scope="module")
def measured() -> Tables:
    return LAB.measure(Study(range(2), quick=True))


def logits_of(model, ids=IDS) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(ids, use_cache=False).logits


def wild(model, seed: int = 0):
    """Return the model with large random weights: whatever it reads shows."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
        parameter.data = torch.randn(parameter.shape, generator=generator) / 2
    return model.eval()


def test_a_seed_repeats_every_table_and_the_findings_come_out_of_them(measured):
    for cached in (training.trained, training.trial):
        cached.cache_clear()
    again = LAB.measure(Study(range(2), quick=True))
    for name, table in measured.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)
    keys = [finding.key for finding in LAB.findings(measured)]
    assert len(set(keys)) == len(keys)
    assert set(LAB.shown) <= set(keys)
    assert LAB.quantities(measured)["searched"] == len(VARIANTS)
    assert settings(Study(range(1), quick=True))["data"] == "sample"


def test_each_training_happens_once(measured):
    assert training.trained.cache_info().misses == len(VARIANTS) * 2


@pytest.mark.parametrize("part", PARTS)
def test_what_remains_starts_from_the_weights_of_the_whole_model(part):
    whole, variant = gpt2_without(None, SHAPE, 3).state_dict(), gpt2_without(part, SHAPE, 3).state_dict()
    kept = {name.replace(".block.", "."): tensor for name, tensor in variant.items()}
    assert all(torch.equal(kept[name], whole[name]) for name in kept.keys() & whole.keys() - {"transformer.wpe.weight"})
    assert not torch.equal(logits_of(gpt2_without(part, SHAPE, 3)), logits_of(gpt2_without(None, SHAPE, 3)))


def test_every_parameter_that_is_trained_is_read():
    for part in (None, *PARTS):
        model = gpt2_without(part, SHAPE, 0)
        model(IDS, use_cache=False).logits.square().sum().backward()
        assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad), part


def test_the_whole_model_is_gpt2_with_initial_weights_for_its_width():
    model = gpt2_without(None, SHAPE, 0)
    assert model.transformer.wte.weight.std().item() == pytest.approx(0.02 * (768 / 16) ** 0.5, rel=0.05)
    plain = new_gpt2(gpt2_config(**SHAPE, dropout=0.0), 0)
    assert model.num_parameters() == plain.num_parameters()


def test_without_attention_a_token_sees_only_itself():
    model = wild(gpt2_without("attention", SHAPE, 0))
    assert torch.equal(
        logits_of(model)[:, -1], logits_of(model, torch.cat([IDS.flip(0)[:, :-1], IDS[:, -1:]], 1))[:, -1]
    )


def test_without_the_mlp_or_the_norms_none_is_left():
    names = [name for name, _ in gpt2_without("mlp", SHAPE, 0).named_parameters()]
    assert not any("mlp" in name or "ln_2" in name for name in names)
    assert not any(isinstance(m, torch.nn.LayerNorm) for m in gpt2_without("norms", SHAPE, 0).modules())


def test_without_residual_connections_a_block_hands_on_what_its_mlp_says():
    model = gpt2_without("residuals", SHAPE, 0).eval()
    for block in model.transformer.h:
        block.block.mlp.c_proj.weight.data.zero_()
    assert logits_of(model).std(dim=(0, 1)).max() < 1e-6  # nothing of the tokens is left


def test_the_sinusoids_are_those_of_the_paper():
    table = sinusoids(50, 16)
    assert table[0].tolist() == [0.0, 1.0] * 8
    assert table[7, 0].item() == pytest.approx(np.sin(7))
    assert table[7, 5].item() == pytest.approx(np.cos(7 / 10_000 ** (4 / 16)))
    # the same distance gives the same product anywhere
    assert (table[3] @ table[8]).item() == pytest.approx((table[30] @ table[35]).item(), rel=1e-4)


def test_order_blindness_is_found_where_it_is_and_only_there():
    windows = torch.randint(300, (30, 13), generator=torch.Generator().manual_seed(1))
    inputs, others = windows[:, :-1], shuffled(windows, 1)[:, :-1]
    nope = wild(gpt2_without("positions", SHAPE, 0))
    one_layer = wild(gpt2_without("positions", SHAPE | {"n_layer": 1}, 0))
    unmasked = lift_causal_mask(copy.deepcopy(nope))
    assert largest_change(unmasked, inputs, others) < BLIND
    assert largest_change(one_layer, inputs, others) < BLIND
    assert largest_change(nope, inputs, others) > 10 * BLIND  # the causal mask tells order from the second layer on
    assert largest_change(wild(gpt2_without(None, SHAPE, 0)), inputs, others) > 100 * BLIND
    assert position_read(unmasked, inputs) < 0.1
    assert position_read(gpt2_without("sinusoidal", SHAPE, 0).eval(), inputs) > 0.2


def test_a_lifted_mask_lets_a_token_see_what_follows():
    model = wild(gpt2_without(None, SHAPE, 0))
    changed = torch.cat([IDS[:, :-1], (IDS[:, -1:] + 1) % 300], dim=1)
    assert torch.allclose(logits_of(model)[:, 0], logits_of(model, changed)[:, 0], atol=1e-5)
    lift_causal_mask(model)
    assert not torch.allclose(logits_of(model)[:, 0], logits_of(model, changed)[:, 0], atol=1e-2)


def test_shuffling_keeps_the_tokens_and_the_last_ones_in_place():
    windows = torch.arange(3 * 20).view(3, 20)
    mixed = shuffled(windows, 4)
    assert torch.equal(mixed[:, -5:], windows[:, -5:])
    assert not torch.equal(mixed, windows)
    assert torch.equal(mixed.sort(dim=1).values, windows)


def test_counts_of_pairs_predict_better_than_counts_of_tokens_and_sum_to_one(measured):
    bits = measured["counted"].set_index("counts")["bits"]
    assert bits["bigram"] < bits["unigram"]


def made_up_costs(worse: dict) -> Tables:
    rows = [
        {"variant": variant, "seed": seed, "bits": 2.5 + worse.get(variant, 0.0) + 1e-3 * seed, "parameters": 1}
        for variant in VARIANTS for seed in (0, 1)
    ]  # fmt: skip
    points = [row | {"step": step} for row in rows for step in (1, 2)]
    return {"removed": pd.DataFrame(rows), "training": pd.DataFrame(points),
            "counted": pd.DataFrame({"counts": ["unigram", "bigram"], "bits": [4.0, 2.9]})}  # fmt: skip


def test_the_verdicts_on_removed_parts_follow_the_runs():
    worse = {
        "mlp": 0.3,
        "attention": 0.4,
        "positions": 0.04,
        "sinusoidal": 0.02,
        "residuals": 0.1,
        "positions_one_layer": 0.2,
    }
    said = {one.key: one.supported for one in removed.findings(made_up_costs(worse | {"whole_one_layer": 0.01}))}
    assert said == {
        "cost_residuals": "yes", "cost_mlp": "yes", "cost_attention": "yes", "cost_positions": "no", "cost_norms": "no",
        "residuals_cost_most": "no", "mlp_cost_most": "no", "attention_cost_most": "yes",
        "sinusoidal_is_as_good": "yes", "cost_positions_one_layer": "yes", "cost_mlp_deeper": "no",
        "cost_second_layer": "no", "attentionless_is_bigram": "yes", "attention_pays_later": "no",
    }  # fmt: skip


def test_a_probe_reads_what_is_there_and_nothing_that_is_not():
    random = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], 40)
    noise = random.normal(size=(120, 16))
    assert abs(embedding_table.probe(noise, classes, 0) - 1 / 3) < 0.15
    told = noise + 3 * random.normal(size=(3, 16))[classes]
    assert embedding_table.probe(told, classes, 0) > 0.9
    assert embedding_table.classmates(told, classes) > 0.9


def test_variance_is_given_to_what_made_the_weights():
    random = np.random.default_rng(0)
    grid = replace(TINY, context=12)
    query, key = looks.pairs(grid)
    known, asked = (torch.from_numpy(random.integers(5, size=(count, 12))) for count in (400, 50))
    by_distance = [np.exp(-(query - key) / 3) + np.zeros((len(ids), 1)) for ids in (known, asked)]
    table = random.random((5, 5))
    by_tokens = [table[ids.numpy()[:, query], ids.numpy()[:, key]] for ids in (known, asked)]
    far = looks.explained_shares(grid, known, by_distance[0], asked, by_distance[1])
    assert far["distance"] > 0.99
    assert abs(far["tokens"]) < 0.05
    like = looks.explained_shares(grid, known, by_tokens[0], asked, by_tokens[1])
    assert like["tokens"] > 0.99
    assert abs(like["distance"]) < 0.05
    places = looks.places_looked_at(grid, 1 / (query + 1) + np.zeros((3, 1)))
    assert list(places.values()) == pytest.approx([1, 1, 1])
    noise = [random.random((len(ids), len(query))) for ids in (known, asked)]
    assert abs(looks.explained_shares(grid, known, noise[0], asked, noise[1])["both"]) < 0.05


def explained(variant=None) -> GPT2Explained:
    return GPT2Explained.from_transformers(wild(gpt2_without(variant, SHAPE, 0)))


def test_flattened_weights_are_weights_and_only_those_of_the_heads_that_are_named():
    model = explained()
    usual = flattened.mean_by_distance(model, IDS)[1]
    _, seen = model(IDS, capture=["layer.1.attention.weights"])
    (weights,) = seen.values()
    for how in flattened.HOWS:
        changed = flattened.instead(how, usual, [1])(weights)
        assert torch.equal(changed[:, 0], weights[:, 0])
        assert not torch.allclose(changed[:, 1], weights[:, 1], atol=1e-2)
        assert torch.allclose(changed.sum(-1), torch.ones(()), atol=1e-5)
        assert changed.triu(1).abs().max() == 0
    even = torch.ones(12, 12).tril() / torch.arange(1, 13)[:, None]
    assert torch.allclose(flattened.instead("uniform", usual, [0, 1])(weights), even.expand_as(weights))


def test_a_hidden_token_cannot_matter_whatever_it_is():
    model, logs = explained(), torch.full((300,), -np.log(300.0))
    other = IDS[:1].clone()
    other[0, 4] = (other[0, 4] + 7) % 300
    one, two = (importance.effects_of(model, ids, logs, following=5)["loss"] for ids in (IDS[:1], other))
    assert one[4] == pytest.approx(two[4], abs=1e-4)
    assert abs(one - two).max() > 1e-2  # in the other copies it is seen


def test_rank_correlation_beside_a_third_series():
    random = np.random.default_rng(0)
    third, a, b = random.normal(size=(3, 2000))
    assert importance.spearman(third + a, third + b) == pytest.approx(0.48, abs=0.05)
    assert importance.partial(third + a, third + b, third) == pytest.approx(0, abs=0.08)
    assert importance.partial(third + a, a, third) > 0.8
    assert importance.partial(third, a, third) == 0


def test_rollout_of_one_layer_is_half_its_weights():
    weights = torch.rand(1, 2, 5, 5).tril()
    signals = importance.signals_of(weights)
    assert signals["rollout"] == pytest.approx(signals["mean_weight"] / 2)
