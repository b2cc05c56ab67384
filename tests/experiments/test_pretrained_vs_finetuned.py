"""pretrained-vs-finetuned: its starts, what is shared between parts, and measures that see what is there to see."""

import numpy as np
import pandas as pd
import pytest
import torch

from hf_llm.data import Text, is_here
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.frame import Study
from hf_llm.experiments.pretrained_vs_finetuned import few_labels, other_corpus, starts, token_by_token, training
from hf_llm.experiments.pretrained_vs_finetuned.starts import STARTS, base_of, message_parts, model_of, shuffled
from hf_llm.experiments.shared import pretrained_base as bases
from hf_llm.models.adaptation import sequence_classifier
from hf_llm.tokenization.byte_lengths import token_byte_lengths

TINY = {"n_layer": 1, "n_head": 2, "n_embd": 16, "vocab_size": 300, "eval_tokens": 200}
STUDY = Study(range(0), quick=True)


@pytest.fixture(scope="module", autouse=True)
def tiny_bases(tmp_path_factory):
    """Bases of a few steps in a cache of their own."""
    for source in ("sms-spam", "tiny-shakespeare", "dom-casmurro", "the-verdict"):
        if not is_here(source):
            pytest.skip(f"{source} is not on this machine")
    caches = (bases._own, training.states, training.reader, training.story)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(bases, "QUICK_STEPS", 4)
        patch.setattr(bases, "SETTINGS", bases.SETTINGS | TINY)
        for cache in caches:
            cache.cache_clear()
        yield
    for cache in caches:
        cache.cache_clear()


def weights(model) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in model.parameters()])


def test_a_base_is_trained_once(monkeypatch):
    base = bases.pretrained_base(STUDY)
    folders = set((bases.user_cache() / "pretrained").glob("tiny-shakespeare-*/"))
    assert len(folders) == 1
    bases._own.cache_clear()
    monkeypatch.setattr("hf_llm.recipes.pretrain.train", lambda *_: pytest.fail("it was trained again"))
    again = bases.pretrained_base(STUDY)
    assert torch.equal(weights(again.model), weights(base.model))
    assert again.facts == base.facts
    assert set((bases.user_cache() / "pretrained").glob("tiny-shakespeare-*/")) == folders


def test_another_text_is_another_base_and_a_lent_tokenizer_is_the_same():
    first, second = base_of(STUDY, "pretrained"), base_of(STUDY, "portuguese")
    assert second.facts["text"] == "dom-casmurro"
    assert second.facts["sha256"] != first.facts["sha256"]
    assert second.tokenizer.get_vocab() == first.tokenizer.get_vocab()


def test_a_foreign_base_is_taken_as_it_is(tmp_path):
    base = bases.pretrained_base(STUDY)
    base.model.save_pretrained(tmp_path)
    base.tokenizer.save_pretrained(tmp_path)
    foreign = Study(range(0), quick=True, base=str(tmp_path))
    assert torch.equal(weights(bases.pretrained_base(foreign).model), weights(base.model))
    assert bases.pretrained_base(foreign).facts["text"] == str(tmp_path)
    assert base_of(foreign, "portuguese").facts["text"] == "dom-casmurro"


def test_scratch_is_drawn_by_the_seed_and_the_others_are_copies():
    before = {start: weights(base_of(STUDY, start).model) for start in STARTS}
    for start in STARTS:
        one, same, other = (model_of(STUDY, start, seed) for seed in (0, 0, 1))
        assert torch.equal(weights(one), weights(same))
        assert torch.equal(weights(one), weights(other)) == (start != "scratch")
        with torch.no_grad():
            for parameter in one.parameters():
                parameter.add_(1)
    assert all(torch.equal(weights(base_of(STUDY, start).model), before[start]) for start in STARTS)


def test_the_unlabelled_text_holds_neither_labels_nor_held_out_messages(monkeypatch):
    seen = []
    monkeypatch.setattr(starts, "pretrained_base", lambda study, text, tokenizer_of: seen.append(text))
    base_of(STUDY, "messages")
    (text,) = seen
    assert isinstance(text, Text)
    lines = set(text.text.split("\n"))
    parts = message_parts()
    assert lines == set(parts["train"].texts)
    assert not lines & {*parts["validation"].texts, *parts["test"].texts}
    assert not any(line.startswith(("ham\t", "spam\t")) for line in lines)


def test_shuffled_labels_are_the_same_ones_at_other_messages():
    messages = message_parts()["train"]
    dealt = shuffled(messages, seed=0)
    assert dealt.texts == messages.texts
    assert np.bincount(dealt.labels).tolist() == np.bincount(messages.labels).tolist()
    assert (dealt.labels == messages.labels).mean() < 0.85  # two random orders of a class of one in eight agree at 0.78


def test_parts_that_ask_for_the_same_training_share_it():
    one, other = Study(range(2), quick=True, report=print), Study(range(5), quick=True)
    assert training.setup_of(one) == training.setup_of(other)
    assert hash(training.setup_of(one)) == hash(training.setup_of(other))
    model = training.reader(training.setup_of(one), "pretrained", 1e-3, 0)
    assert training.reader(training.setup_of(other), "pretrained", 1e-3, 0) is model


def test_the_reader_holds_the_weights_that_validation_picks():
    read = training.reader(STUDY, "pretrained", 1e-3, 0)
    assert [point["step"] for point in read.curve] == [0, 6, 12]
    best = min(read.curve, key=lambda point: point["validation"])
    texts, lengths = training.story(STUDY, "pretrained"), token_byte_lengths(base_of(STUDY, "pretrained").tokenizer)
    for part, ids in (("test", texts.test), ("old", texts.old)):
        assert evaluate_tokens(read.model, ids, lengths, 64, 128).bits_per_byte == pytest.approx(best[part], rel=1e-6)


def test_what_a_classifier_has_forgotten_is_nothing_before_it_is_trained():
    base = base_of(STUDY, "pretrained")
    untouched = sequence_classifier(base.model, ("ham", "spam"), base.tokenizer.pad_token_id, 0)
    texts, lengths = training.story(STUDY, "pretrained"), token_byte_lengths(base.tokenizer)
    expected = evaluate_tokens(base.model, texts.old, lengths, 64, 128).bits_per_byte
    assert training.old_bits(STUDY, "pretrained", untouched) == pytest.approx(expected, rel=1e-6)


def test_states_are_what_the_classifiers_last_layer_reads():
    messages = message_parts()["test"].select(np.arange(12))
    base = base_of(STUDY, "pretrained")
    read = training.states(STUDY, "pretrained", 3, messages)  # (12, width)
    classifier = sequence_classifier(base.model, messages.classes, base.tokenizer.pad_token_id, 3)
    odds = training.log_odds(STUDY, "pretrained", classifier, messages)
    weight = classifier.score.weight.detach().numpy()  # (2, width)
    np.testing.assert_allclose(read @ (weight[1] - weight[0]), odds, rtol=1e-4, atol=1e-6)


def test_scores_that_know_everything_are_perfect_and_random_ones_rank_nothing():
    labels = np.array([0, 0, 0, 1])
    assert training.figures(labels - 0.5, labels) == {"accuracy": 1.0, "f1": 1.0, "auc": 1.0, "base_rate": 0.75}
    silent = training.figures(-np.ones(4), labels)
    assert (silent["accuracy"], silent["f1"], silent["auc"]) == (0.75, 0.0, 0.5)


def test_a_model_does_not_differ_from_itself():
    ids = training.story(STUDY, "pretrained").test
    base = base_of(STUDY, "pretrained").model
    same = token_by_token.shift(base, model_of(STUDY, "pretrained", 0), ids)
    assert same["same_first"] == 1.0
    assert same["moved"] == pytest.approx(0, abs=1e-6)
    assert same["gain"] == pytest.approx(0, abs=1e-6)
    other = token_by_token.shift(base, model_of(STUDY, "scratch", 0), ids)
    assert other["moved"] > 0.01
    assert 0 < other["tenth"] <= 1


def test_both_models_write_with_one_seed_and_each_token_has_both_probabilities():
    base = base_of(STUDY, "pretrained").model
    rows = pd.DataFrame(token_by_token.writing(STUDY, {"pretrained": base, "finetuned": base}, seed=0))
    one, other = (group.drop(columns="writer").reset_index(drop=True) for _, group in rows.groupby("writer"))
    pd.testing.assert_frame_equal(one, other)  # a model compared with itself
    np.testing.assert_allclose(rows["pretrained"], rows["finetuned"])
    assert rows["pretrained"].between(0, 1).all()


def test_the_rate_with_the_best_validation_is_chosen():
    tried = pd.DataFrame([
        {"start": "scratch", "count": 16, "rate": rate, "seed": 0, "f1": f1, "step": 1, "validation": -f1}
        for rate, f1 in ((1e-4, 0.1), (1e-3, 0.9), (1e-2, 0.3))
    ])  # fmt: skip
    for part, table in ((few_labels, "label_rates"), (other_corpus, "story_rates")):
        (row,) = part.chosen({table: tried}).to_dict("records")
        assert (row["start"], row["rate"], row["edge"]) == ("scratch", 1e-3, False)


def test_a_seed_of_several_draws_counts_once():
    table = pd.DataFrame([
        {"setting": "scratch", "count": 16, "seed": seed, "draw": draw, "base_rate": 0.8} | dict.fromkeys(
            ("f1", "accuracy", "auc"), seed + 0.2 * draw)
        for seed in (0, 1) for draw in (0, 1)
    ])  # fmt: skip
    np.testing.assert_allclose(few_labels.averaged({"labels": table})["f1"], [0.1, 1.1])


def test_a_draw_has_labels_of_its_own_and_all_labels_are_the_whole_part():
    few, every = training.Share(16, 1, STARTS, draws=2), training.Share(None, 1, STARTS)
    assert (few.count, every.count) == (16, len(message_parts()["train"]))
    first, again, other = (few.messages(seed).texts for seed in (0, 0, few_labels.DRAW))
    assert first == again != other
    assert every.messages(0) is every.messages(1) is message_parts()["train"]


def test_the_length_is_what_a_model_reads():
    messages = message_parts()["test"].select(np.arange(12))
    read = training.lengths(STUDY, messages)  # (12, 1)
    ids = base_of(STUDY, "scratch").tokenizer(list(messages.texts), add_special_tokens=False)["input_ids"]
    assert read[:, 0].tolist() == [min(len(one), training.CONTEXT) for one in ids]
