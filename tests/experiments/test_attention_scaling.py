"""attention-scaling: the counters count what is known, the task has one right answer, and verdicts follow the data."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hf_llm.experiments.attention_scaling import agreement, length, sizes, square
from hf_llm.experiments.attention_scaling.agreement import SentenceTask, held_out, preferred, right
from hf_llm.experiments.attention_scaling.contenders import KINDS, new_contender, parameters_of, size_of
from hf_llm.experiments.attention_scaling.counting import kept_bytes, longest_chain, step_by_step, step_flops
from hf_llm.experiments.attention_scaling.sentences import FORMS, HAS_BEEN, IDS, NOUNS, WAS, WORDS, Sentence
from hf_llm.experiments.attention_scaling.timing import exponent, seconds
from hf_llm.experiments.frame.study import Study
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.training.loop import train

SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 64, "vocab_size": 30}
TINY = agreement.Grid({**SHAPE, "n_positions": 40, "vocab_size": len(WORDS)}, (1e-2, 3e-2), steps=4, every=2,
                      windows=20, sentences=6, batch=4, most=2, tested=(0, 2, 6))  # fmt: skip


def verdicts(findings) -> dict[str, str]:
    return {finding.key: finding.supported for finding in findings}


def test_the_longest_chain_is_that_of_a_graph_that_is_known():
    x = torch.ones(3, requires_grad=True)
    one = x * 2  # a product and the gathering of x's gradient: 2
    assert longest_chain(one) == 2
    assert longest_chain((one.exp().exp() + one).sum()) == 6  # the shorter way does not count


def test_a_recurrent_chain_grows_with_the_text_and_attention_s_does_not():
    for kind in KINDS:
        model, chains = new_contender(kind, SHAPE, 0), []
        for tokens in (8, 16, 32):
            ids = torch.zeros(1, tokens, dtype=torch.long)
            with step_by_step():
                chains.append(longest_chain(model(input_ids=ids, labels=ids).loss))
        first, second = np.diff(chains)
        assert (first, second) == (0, 0) if kind == "gpt2" else second == 2 * first > 0


def test_flops_are_those_of_the_products():
    model = new_contender("gpt2", SHAPE, 0, "eager")
    flops = step_flops(model, torch.zeros(3, 10, dtype=torch.long))
    width, tokens = SHAPE["n_embd"], 3 * 10
    assert flops["attention"] == 6 * 2 * 2 * tokens * 10 * width  # layers, scores and values; 2 FLOPs, 3 passes
    weights = SHAPE["n_layer"] * 12 * width * width + SHAPE["vocab_size"] * width
    assert flops["rest"] == 6 * tokens * weights
    assert all(parameter.grad is None for parameter in model.parameters())
    lstm = new_contender("lstm", SHAPE, 0)
    found = step_flops(lstm, torch.zeros(3, 10, dtype=torch.long))
    matrices = sum(p.numel() for name, p in lstm.named_parameters() if p.dim() == 2)
    assert found["attention"] == 0
    assert found["rest"] == pytest.approx(6 * tokens * matrices, rel=0.1)  # the first step has no state to multiply


def test_kept_bytes_count_a_storage_once_and_no_weights():
    linear, x = nn.Linear(8, 8, bias=False), torch.randn(4, 8)
    assert kept_bytes(linear, lambda: linear(x).relu()) == 2 * 4 * 8 * 4  # the input, and what relu returns
    assert kept_bytes(linear, lambda: linear(x) + linear(x)) == 4 * 8 * 4


def test_contenders_are_of_equal_size():
    assert parameters_of(new_contender("gpt2", length.SHAPE | {"n_positions": 8}, 0)) == size_of(
        length.SHAPE | {"n_positions": 2048}
    )
    for shape in (length.SHAPE | {"n_positions": 2048}, agreement.FULL.shape):
        for kind in KINDS:
            assert parameters_of(new_contender(kind, shape, 0)) == pytest.approx(size_of(shape), rel=0.02)


def test_an_exponent_and_a_time_are_what_they_say():
    assert exponent([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2)
    calls = []
    assert 0 < seconds(lambda: calls.append(sum(range(20000)))) < 0.05
    assert len(calls) > 1


def test_attention_is_the_same_in_both_ways_and_only_one_keeps_the_square():
    q, k, v = square.heads_of(64)
    eager, fused = (square.attention(way, q, k, v) for way in square.WAYS)
    assert torch.allclose(eager, fused, atol=1e-5)
    eager, fused = ([square.kept_by(way, tokens) for tokens in (256, 512)] for way in square.WAYS)
    assert eager[1] / eager[0] > 3
    assert fused[1] / fused[0] == pytest.approx(2)


def test_the_crossing_is_found_where_the_curves_meet():
    lengths = np.array([100, 200, 400])
    assert square.crossing(lengths, lengths**2.0, 300.0 * lengths) == pytest.approx(300)
    assert square.crossing(lengths, lengths**2.0, 3.0 * lengths) == pytest.approx(100)  # before the first length


def test_every_sentence_agrees_and_what_misleads_misleads():
    random = np.random.default_rng(0)
    gender_of = {word: form for form, words in NOUNS.items() for word in words}
    for distractors in [0, 1, 5] * 40:
        one = Sentence.draw(random, distractors, misleading=True)
        words = one.words
        verb = len(words) - 3
        assert words[verb] == HAS_BEEN[one.subject[1]]
        assert words[verb + 1] == one.participle[FORMS.index(one.subject)]
        at = next(place for place, word in enumerate(words) if word in ("o", "a", "os", "as"))  # the one bare article
        assert gender_of[words[at + 1]] == one.subject
        assert verb - at - 2 == one.between == (2 + 2 * distractors if distractors else 0)
        nouns = [word for word in words if word in gender_of]
        assert gender_of[nouns[0]] == one.first
        assert gender_of[next(word for word in reversed(words[:verb]) if word in gender_of)] == one.nearest
        assert (one.nearest == one.subject) == (distractors == 0)
        if distractors:
            assert words[at + 3] == WAS[one.subject[1]]
    assert len(set(WORDS)) == len(WORDS) == len(IDS)


def test_the_score_is_that_of_models_that_are_known():
    class Knows(nn.Module):  # the form of the verb that an oracle, or a rule, gives
        def __init__(self, rule, sentences):
            super().__init__()
            self.forms = [getattr(one, rule) for one in sentences]

        def forward(self, input_ids, use_cache):
            logits = torch.zeros(*input_ids.shape, len(WORDS))
            for row, (gender, number) in zip(logits, self.forms):
                row[:, IDS[HAS_BEEN[number]]] = 1
                for stem in ("encontrad", "procurad", "chamad", "ouvid"):
                    ending = ("o", "os", "a", "as")[FORMS.index((gender, number))]
                    row[:, IDS[stem + ending]] = 1
            return type("Output", (), {"logits": logits})

    sentences = held_out(TINY)[2]
    assert right(Knows("subject", sentences), sentences) == 1
    assert right(Knows("nearest", sentences), sentences) == 0
    one = sentences[0]
    assert preferred(Knows("subject", [one])(torch.zeros(1, len(one.ids)), False).logits[0], one) == one.subject


@pytest.mark.parametrize("kind", KINDS)
def test_accumulated_sentences_are_the_big_batch(kind):
    def losses(per_device: int) -> list[float]:
        task = SentenceTask(new_contender(kind, TINY.shape, 0), TINY, 0, {})
        settings = short_run(3, 1e-2, 0, total_batch_size=4, per_device_train_batch_size=per_device, logging_steps=1)
        task.plan = type(task.plan)(len(task.windows), 4, per_device, world_size=1, seed=0)
        return [record["loss"] for record in train(task, settings).records]

    assert losses(4) == pytest.approx(losses(1), rel=1e-5)


def test_the_grid_is_measured_and_a_seed_repeats_it(monkeypatch):
    monkeypatch.setattr(agreement, "QUICK", TINY)
    one, again = (agreement.measure(Study(range(2), quick=True)) for _ in range(2))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)
    assert len(one["search"]) == len(KINDS) * len(TINY.rates)
    assert len(one["agreement"]) == len(KINDS) * 2 * 2 * len(TINY.tested)
    assert verdicts(agreement.findings(one))["oracle_is_right"] == "yes"
    assert verdicts(agreement.findings(one))["nearest_noun_fails"] == "yes"
    assert one["distances"]["words"].tolist() == [0, 6, 14]


def test_agreement_s_verdicts_follow_the_scores():
    def tables(gpt2: float, lstm: float, far_gpt2: float, far_lstm: float) -> dict:
        ends = {"gpt2": (gpt2, far_gpt2), "lstm": (lstm, far_lstm), "gru": (lstm, far_lstm)}
        rows = [{"kind": kind, "seed": seed, "step": step, "distractors": number, "right": value + 0.001 * seed}
                for kind, (near, far) in ends.items() for seed in range(5) for step in (50, 100)
                for number, value in ((0, near), (8, near), (32, far))]  # fmt: skip
        rules = [{"rule": rule, "distractors": number, "right": float(rule == "subject" or number == 0)}
                 for rule in ("subject", "nearest", "first") for number in (0, 8, 32)]  # fmt: skip
        distances = pd.DataFrame({"distractors": [0, 8, 32], "words": [0, 18, 66], "trained": [True, True, False],
                                  "sentences": 200})  # fmt: skip
        return {"agreement": pd.DataFrame(rows), "rules": pd.DataFrame(rules), "distances": distances}

    found = verdicts(agreement.findings(tables(0.98, 0.5, 0.97, 0.3)))
    assert (found["gpt2_agrees"], found["lstm_as_good"], found["gpt2_agrees_beyond"]) == ("yes", "no", "yes")
    assert found["gpt2_learns_sooner"] == "yes"  # the LSTM never gets there: its last step counts
    found = verdicts(agreement.findings(tables(0.98, 0.97, 0.3, 0.9)))
    assert (found["lstm_as_good"], found["gpt2_agrees_beyond"], found["lstm_better_beyond"]) == ("yes", "no", "yes")


def test_formulas_agree_with_what_is_counted_and_an_error_is_seen():
    tables = sizes.measure(Study(range(1), quick=True))
    assert sizes.off(tables["sizes"], "parameters") == 0
    assert select_size(tables, "gpt3")["parameters"] == 174_604_259_328
    tables["sizes"].loc[0, "cache_counted"] += 4
    assert verdicts(sizes.findings(tables))["parameters_by_formula"] == "no"


def select_size(tables: dict, size: str) -> pd.Series:
    return tables["sizes"].set_index("size").loc[size]
