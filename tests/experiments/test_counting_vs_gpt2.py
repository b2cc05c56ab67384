"""Counting beside GPT-2: pieces that do not overlap, crossings that are found, and rules that can be broken."""

import numpy as np
import pandas as pd
import pytest

from hf_llm.data import Text, read_text
from hf_llm.experiments.counting_vs_gpt2 import race, rules
from hf_llm.experiments.counting_vs_gpt2.lab import LAB
from hf_llm.experiments.counting_vs_gpt2.network import EVALUATIONS, Recipe, corpus_of, train_network
from hf_llm.experiments.counting_vs_gpt2.pieces import Pieces, lengths
from hf_llm.experiments.frame.result import judge
from hf_llm.ngrams.byte_ngrams import ByteNGrams
from hf_llm.texts import LANGUAGES

POWERS = np.array([11.0, 14.0, 17.0, 20.0])


@pytest.fixture(scope="module")
def sample() -> Text:
    return read_text("sample")


@pytest.fixture(scope="module")
def network(sample):
    pieces = Pieces.of(sample, 0).last(2048)
    return train_network(pieces, Recipe(vocab_size=300, steps=8), seed=0), pieces


class TestPieces:
    def test_seed_0_holds_out_the_end(self, sample):
        pieces = Pieces.of(sample, 0)
        assert pieces.train + pieces.validation + pieces.test == sample.text
        assert [len(part.encode()) for part in (pieces.train, pieces.validation, pieces.test)] == pytest.approx(
            list(lengths(sample).values()), abs=4
        )

    @pytest.mark.parametrize("seed", range(1, 8))
    def test_every_seed_holds_out_another_passage_and_loses_nothing(self, sample, seed):
        pieces = Pieces.of(sample, seed)
        assert pieces.test != Pieces.of(sample, seed - 1).test
        turned = pieces.train + pieces.validation + pieces.test
        assert len(turned) >= len(sample.text) - 6  # a character at each cut
        assert set(turned.split("\n")) - set(sample.text.split("\n")) == set() or len(turned) < len(sample.text)

    def test_with_less_to_learn_from_what_is_held_out_stays(self, sample):
        pieces = Pieces.of(sample, 2)
        less = pieces.last(1000)
        assert (less.validation, less.test) == (pieces.validation, pieces.test)
        assert pieces.train.endswith(less.train)
        assert 997 <= len(less.train.encode()) <= 1000


class TestNetwork:
    def test_it_never_sees_what_is_held_out(self, sample):
        pieces = Pieces.of(sample, 0).last(2048)
        other = Pieces(pieces.train, pieces.validation, "x" * 500)
        first, second = (train_network(one, Recipe(vocab_size=300, steps=8), seed=0) for one in (pieces, other))
        assert first.validation == second.validation
        assert first.tokenizer.get_vocab() == second.tokenizer.get_vocab()
        assert corpus_of(pieces, Recipe(300, 8), 0).train.window(1, 5).shape == (5,)

    def test_validation_picks_the_step(self, network):
        trained, pieces = network
        assert trained.steps == EVALUATIONS
        assert trained.bits_per_byte(pieces.validation) == pytest.approx(trained.validation, rel=1e-5)

    def test_watching_changes_nothing_and_ends_with_the_last_weights(self, network):
        trained, pieces = network
        watched = train_network(pieces, Recipe(vocab_size=300, steps=8), seed=0, watched=True)
        assert (trained.curve, watched.validation) == ([], trained.validation)
        assert [point["step"] for point in watched.curve] == list(range(1, EVALUATIONS + 1))
        chosen = next(point for point in watched.curve if point["step"] == watched.step)
        assert chosen["gpt2"] == pytest.approx(watched.bits_per_byte(pieces.test), rel=1e-6)

    def test_more_text_gives_more_tokens_and_more_steps(self):
        recipes = [Recipe.of_size(2**power) for power in (11, 14, 17, 20)]
        assert [recipe.vocab_size for recipe in recipes] == [289, 513, 2000, 2000]
        assert [recipe.steps for recipe in recipes] == [84, 116, 371, 2410]


class TestCrossing:
    def test_between_two_sizes(self):
        assert race._first_zero(POWERS, np.array([1.0, 0.5, 0.2, -0.1])) == pytest.approx(2**19)

    def test_beyond_the_largest_along_the_last_line(self):
        assert race._first_zero(POWERS, np.array([1.0, 0.5, 0.2, 0.1])) == pytest.approx(2**23)

    def test_never_and_always(self):
        assert race._first_zero(POWERS, np.array([0.1, 0.2, 0.3, 0.4])) == race.FARTHEST
        assert race._first_zero(POWERS, np.array([0.4, 0.4, 0.3, 0.299999])) == race.FARTHEST
        assert race._first_zero(POWERS, -np.ones(4)) == 2**11

    def test_a_lead_that_is_lost_again_is_no_crossing(self):
        assert race._first_zero(POWERS, np.array([0.3, -0.1, 0.1, -0.1])) == pytest.approx(2**18.5)


class TestRules:
    def test_what_breaks_them_is_seen(self, sample):
        data = sample.text.encode()
        ngrams = ByteNGrams.fit(data[:2000], 3)
        assert rules.leak(ngrams.bits, data[:200]) == 0
        assert rules.leak(lambda text: ngrams.bits(text)[::-1], data[:200]) > 0.1  # reads from the end
        assert rules.sum_of_next(ngrams.bits, data[:50]) == pytest.approx(1, abs=1e-9)
        assert rules.sum_of_next(lambda text: ngrams.bits(text) - 0.1, data[:50]) > 1.05  # too sure of everything

    def test_the_network_keeps_them(self, network):
        trained, pieces = network
        assert rules.network_sum_error(trained, pieces.test) < rules.TOLERANCE
        assert rules.network_leak(trained, pieces.test) < rules.TOLERANCE


def tables(lead: float) -> dict[str, pd.DataFrame]:
    """Return what a race would give in which the n-grams lead at the largest size by so many bits per byte."""
    random, scores = np.random.default_rng(0), []
    sizes = {**dict.fromkeys(race.GROWING, race.FULL.sizes), race.SHORT: (16_000,)}
    for text, grown in sizes.items():
        for place, size in enumerate(grown):
            for seed in range(5):
                behind = 0.5 + (lead - 0.5) * place / 3 + random.normal(0, 0.01)
                ngrams = 3.5 - 0.4 * place
                scores.append({
                    "text": text, "size": size, "seed": seed, "order": 4 + place // 2, "ngrams": ngrams,
                    "learning": ngrams - 0.1, "trigrams": 3.6 - 0.2 * place, "compressor": 3.4 - 0.2 * place,
                    "gpt2": ngrams + behind, "validation_gpt2": 2.0, "step": 80, "steps": 96, "vocabulary": 300,
                    "parameters": 500_000,
                })  # fmt: skip
    scores = pd.DataFrame(scores)
    training = [
        {"text": text, "size": 2**20, "seed": seed, "step": step, "gpt2": 2.3 + lead + 0.1 * (8 - step), "ngrams": 2.3}
        for text in race.GROWING for seed in range(5) for step in range(1, 9)
    ]  # fmt: skip
    orders = [scores[["text", "size", "seed"]].assign(order=order, validation=2.0, test=2.0) for order in (1, 2)]
    rows = [{"text": race.SHORT, "seed": seed, "method": "gpt2", "sum_error": 1e-7, "leak": 0.0} for seed in range(5)]
    return {
        "scores": scores, "training": pd.DataFrame(training),
        "counting": pd.concat(orders), "rules": pd.DataFrame(rows),
        "times": scores[["text", "size", "seed"]].assign(ngrams_seconds=1.0, gpt2_seconds=40.0),
        "tuned": pd.DataFrame({"seed": range(5), "steps": 200, "step": 200, "gpt2": 3.6 + random.normal(0, 0.01, 5)}),
    }  # fmt: skip


@pytest.mark.parametrize(("lead", "supported"), [(-0.3, "no"), (0.3, "yes"), (0.0, "inconclusive")])
def test_the_answer_follows_who_leads_at_the_largest_size(lead, supported):
    settings = {"smallest": 2, "watched": 16, "orders": 8, "tuned_steps": 200, "validation_kb": 8}
    result = judge(LAB, tables(lead), settings, quick=False, seeds=list(range(5)))
    found = {finding.key: finding for finding in result.findings}
    assert found["lead_largest_shakespeare"].supported == supported
    crossing = found["crossing_ngrams_shakespeare"].value
    assert (crossing < 1000) == (supported == "no")  # KB
    assert found["lead_half_way_shakespeare"].value == pytest.approx(lead + 0.4)  # after 4 of 8 evaluations
    for lang in LANGUAGES:
        assert all(result.claim(finding, lang) for finding in result.findings)
        assert len(result.answer(lang)) > 200
