"""TF-IDF against GPT-2: what spoils a message, what order hides, what each method sees, verdicts follow the data."""

import doctest
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hf_llm.data.messages import labelled
from hf_llm.experiments.frame.study import Study
from hf_llm.experiments.shared.pretrained_base import PretrainedBase
from hf_llm.experiments.tfidf_vs_llm import (
    number_of_labels,
    perturbations,
    reasons,
    serving,
    shuffled_labels,
    tfidf,
    training,
    word_order,
)
from hf_llm.experiments.tfidf_vs_llm.methods import METHODS, TRAINED, Linear, mean_states, new_method
from hf_llm.experiments.tfidf_vs_llm.perturbations import KINDS, spoil
from hf_llm.experiments.tfidf_vs_llm.training import QUICK, figures, fit
from hf_llm.experiments.tfidf_vs_llm.word_order import sentences
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.tokenizer import train_bpe

HAM = [f"ham\tsee you {when} at the {place}" for when in ("today", "later", "soon") for place in "abcdefghijklmnop"]
SPAM = [f"spam\twin {what} prize call 0871{number}" for number in range(6) for what in ("cash", "holiday", "phone")]
MESSAGES = labelled([*HAM, *SPAM])
TINY = replace(
    QUICK, steps=((8, 2), (24, 3)), test=10, timed=1, spoilt=10, explained=8, shuffled=24, sentences=40, order_steps=2
)


@pytest.fixture(scope="module")
def base():
    tokenizer = train_bpe("see you at the win a prize call now " * 20, 300)
    tokenizer.pad_token = tokenizer.eos_token
    config = gpt2_config(n_layer=1, n_head=2, n_embd=16, n_positions=128, vocab_size=len(tokenizer), dropout=0.0)
    return PretrainedBase(new_gpt2(config, seed=0).eval(), tokenizer, {"text": "a line", "parameters": 1}, None)


@pytest.fixture
def tiny(monkeypatch, base):
    """Let the parts run on a tiny model, few messages and few steps."""
    for module in (number_of_labels, serving, shuffled_labels, word_order, reasons):
        monkeypatch.setattr(module, "base_of", lambda study: base)
        monkeypatch.setattr(module, "grid_of", lambda study: TINY)
    parts = {"train": MESSAGES, "test": MESSAGES}
    monkeypatch.setattr(training, "parts_of", lambda seed: parts)
    training.trained.cache_clear()
    yield Study(range(2), quick=True)
    training.trained.cache_clear()


@pytest.mark.parametrize("module", [perturbations, tfidf])
def test_documented_examples(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_stronger_version_spoils_more_and_nothing_but_letters(kind):
    text = "Free entry: win £1000 NOW, at 08452810075!"
    weak, strong = spoil(text, kind, 0.5, seed=3), spoil(text, kind, 1.0, seed=3)
    assert text != weak == spoil(text, kind, 0.5, seed=3) != strong
    assert spoil("£1000 08452810075 ação".replace("a", ""), kind, 1.0, 0).startswith("£1000 08452810075 çã")
    assert Counter(c for c in strong if c in "£:,!") == Counter(c for c in text if c in "£:,!")


def test_leetspeak_reads_as_the_letters_that_it_stands_for():
    assert spoil("prize test", "leetspeak", 1.0, 0).translate(str.maketrans("431057", "aeiost")) == "prize test"


def test_digits_are_one_to_the_character_model_alone():
    words, chars, plain = tfidf.tfidf_words(), tfidf.tfidf_chars(), tfidf.tfidf_chars(str.lower)
    for model in (words, chars, plain):
        model.fit(["call 08712460324", "see you at home"], [1, 0])
    seen = [model.decision_function(["ring 5599955"]).item() for model in (words, plain, chars)]
    assert seen[2] > max(seen[:2])


def test_twin_sentences_look_alike_to_whoever_counts_words_and_pairs():
    whole = sentences(40, seed=0)["train"]
    words = tfidf.tfidf_words()[0]
    counted = words.fit_transform(whole.texts)  # (40, terms)
    assert abs(counted[0::2] - counted[1::2]).max() == 0
    assert list(whole.labels) == [1, 0] * 20
    parts = sentences(40, seed=0)
    assert not set(parts["train"].texts) & set(parts["test"].texts)


def test_three_words_in_a_row_tell_the_twins_apart():
    parts = sentences(200, seed=0)
    triples = new_method("tfidf_triples", None, steps=0, seed=0)
    triples.fit(parts["train"])
    assert ((triples.scores(parts["test"].texts) > 0) == parts["test"].labels).all()


def test_falls_that_repeat_from_seed_to_seed_and_falls_that_do_not():
    def repeated(noise: float) -> float:
        random = np.random.default_rng(0)
        rows = [{"word": f"w{word}", "seed": seed, "fall": word + noise * random.normal()}
                for seed in range(4) for word in range(60)]  # fmt: skip
        return np.mean(reasons.repeats(pd.DataFrame(rows)))

    assert repeated(0.0) == pytest.approx(1.0)
    assert abs(repeated(1e6)) < 0.3


def test_frozen_features_are_means_over_a_text_whatever_stands_beside_it(base):
    together = mean_states(base, ("see you", "win a prize now, call the number that you see at the end of it"))
    assert np.allclose(together[0], mean_states(base, ("see you",))[0], atol=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_a_score_a_text(name, base):
    method = new_method(name, base, steps=2, seed=0)
    if name in TRAINED:
        fit(method, MESSAGES)
    scores = method.scores(("see you", "win a prize", "see you"))
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    assert scores[0] == pytest.approx(scores[2], abs=1e-5)


def test_fine_tuning_leaves_the_base_as_it_was(base):
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    fit(new_method("gpt2_finetuned", base, steps=2, seed=0), MESSAGES)
    assert all((tensor == before[name]).all() for name, tensor in base.model.state_dict().items())


def test_a_classifier_that_learns_and_one_that_cannot():
    scored = figures(np.array([1.0, -1.0, -1.0, -1.0]), np.array([1, 1, 0, 0]))
    assert scored == {"accuracy": 0.75, "f1": pytest.approx(2 / 3), "recall": 0.5, "alarms": 0.0,
                      "auc": 0.75, "base_rate": 0.5}  # fmt: skip


def test_the_word_that_a_score_hangs_on_is_found():
    class CountsPrizes:
        def scores(self, texts):
            return np.array([2.0 * text.lower().count("prize") for text in texts])

    fall = reasons.falls(CountsPrizes(), ("Your PRIZE waits", "a prize, my prize", "see you"))
    assert fall["prize"] == [2.0, 4.0]
    assert fall["waits"] == [0.0]
    assert set(fall) == {"your", "prize", "waits", "my", "see", "you"}


def test_the_same_seed_gives_the_same_tables(tiny):
    first = {**number_of_labels.measure(tiny), **reasons.measure(tiny), **word_order.measure(tiny)}
    training.trained.cache_clear()
    again = {**number_of_labels.measure(tiny), **reasons.measure(tiny), **word_order.measure(tiny)}
    for name in set(first) - number_of_labels.TIMED:
        pd.testing.assert_frame_equal(first[name], again[name])
    counts = first["agreement"]
    assert (counts[["both", "only_tfidf", "only_gpt2", "neither"]].sum(axis=1) == counts["messages"]).all()


def test_serving_loads_each_method_in_a_process_of_its_own(tiny):
    footprint = serving.measure(tiny)["footprint"].set_index("method")
    assert list(footprint.index) == list(serving.QUICKLY_SERVED)
    assert footprint.loc["gpt2_finetuned", "memory"] > footprint.loc["tfidf_words", "memory"]  # PyTorch is not small


def test_a_tfidf_process_needs_no_torch(tmp_path):
    import pickle
    import subprocess
    import sys

    model = Linear(tfidf.tfidf_chars())
    model.fit(MESSAGES)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model.pipeline))
    asked = f"import pickle, sys; pickle.load(open({str(tmp_path / 'model.pickle')!r}, 'rb')); "
    asked += "print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout.strip() == "False"


def with_gain(true: float, shuffled: float) -> pd.DataFrame:
    rows = [{"method": name, "shuffled": flag, "seed": seed, "accuracy": 0.87 + gain / 100, "base_rate": 0.87}
            for name in TRAINED for seed in range(3) for flag, gain in ((0, true), (1, shuffled))]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_control_fails_when_shuffled_labels_teach_something():
    verdicts = [
        {finding.key: finding.supported for finding in shuffled_labels.findings({"shuffled": with_gain(*gains)})}
        for gains in ((9, -1), (9, 3), (0, -1))
    ]
    assert [one["shuffled_learn_nothing"] for one in verdicts] == ["yes", "no", "yes"]
    assert [one["true_labels_teach"] for one in verdicts] == ["yes", "yes", "no"]
