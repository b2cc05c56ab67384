"""Label likelihood: it is the plain sum, whatever stands in the batch; long prompts are cut; calibration divides."""

import numpy as np
import pytest
import torch

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.evaluation import label_likelihood
from hf_llm.evaluation.label_likelihood import label_log_probabilities, label_probabilities
from hf_llm.tokenization.tokenizer import document_start, encode, train_bpe

PROMPTS = ["The", "The sea was", "A", "O gato"]
LABELS = [" a", " yes it is", " não"]


def plain_sum(model, tokenizer, prompt: str, label: str) -> float:
    """One text, token by token: for each of the label's the whole text before it is read anew."""
    ids = [document_start(tokenizer), *encode(tokenizer, prompt).tolist(), *encode(tokenizer, label).tolist()]
    total = 0.0
    for place in range(len(ids) - len(encode(tokenizer, label)), len(ids)):
        read = torch.tensor([ids[max(0, place - model.config.n_positions) : place]])
        with torch.inference_mode():
            total += model(input_ids=read).logits[0, -1].double().log_softmax(dim=-1)[ids[place]].item()
    return total


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_it_is_the_sum_over_the_labels_tokens_whatever_stands_in_the_batch(model, tokenizer, batch_size):
    scores = label_log_probabilities(model, tokenizer, PROMPTS, LABELS, batch_size)
    expected = [[plain_sum(model, tokenizer, prompt, label) for label in LABELS] for prompt in PROMPTS]
    assert scores.shape == (len(PROMPTS), len(LABELS))
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert np.ptp(scores) > 1, "the model has no opinion, and this would hold of any sum"


def test_dropout_is_off_and_the_mode_is_kept(model, tokenizer):
    model.train()
    one, two = (label_log_probabilities(model, tokenizer, PROMPTS, LABELS) for _ in range(2))
    assert (one == two).all()
    assert model.training


def test_a_prompt_longer_than_the_context_loses_its_beginning_and_keeps_the_label(model, tokenizer):
    long, end = "x" * 100, "z" * 40
    scores = label_log_probabilities(model, tokenizer, [long + end, "y" * 100 + end], [" a", " b"])
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)  # what differs was cut off
    np.testing.assert_allclose(scores[0, 0], plain_sum(model, tokenizer, long + end, " a"), atol=1e-5)


def test_labels_that_differ_in_their_last_token_share_one_forward_pass(model, tokenizer, monkeypatch):
    rows = []
    forward = label_likelihood._last_log_probabilities

    def counted(model, batch, kept):
        rows.extend(batch)
        return forward(model, batch, kept)

    monkeypatch.setattr(label_likelihood, "_last_log_probabilities", counted)
    label_log_probabilities(model, tokenizer, PROMPTS, ["é", "ê"])  # two bytes, of which the first is the same
    assert len(rows) == len(PROMPTS)


def test_a_token_that_reaches_over_the_border_is_scored_with_the_label(model):
    merging = train_bpe("abab abab abab", 260)  # knows "ab", so that a + b is one token
    scores = label_log_probabilities(model, merging, ["a"], ["b", "c"])
    with torch.inference_mode():
        first = model(input_ids=torch.tensor([[document_start(merging)]])).logits[0, -1].double().log_softmax(dim=-1)
    assert len(encode(merging, "ab")) == 1
    np.testing.assert_allclose(scores[0, 0], first[encode(merging, "ab")[0]].item(), atol=1e-5)


def test_calibration_takes_away_what_a_label_gets_without_content():
    true = np.log([[0.8, 0.2], [0.3, 0.7]])
    liked = np.log([[0.9, 0.1]])  # the model likes the first label nine times as much, whatever it reads
    np.testing.assert_allclose(label_probabilities(true), np.exp(true))
    assert label_probabilities(true + liked).argmax(axis=1).tolist() == [0, 0]
    np.testing.assert_allclose(label_probabilities(true + liked, liked), np.exp(true))
    np.testing.assert_allclose(  # several prompts without content: their mean probability
        label_probabilities(true + liked, np.log([[0.95, 0.05], [0.85, 0.15]])), np.exp(true)
    )


def test_what_cannot_be_compared_is_said(model, tokenizer):
    for prompts, labels in ((["x"], [" a"]), ([], [" a", " b"]), (["x"], ["", " b"]), (["x"], [" a", "qwx" * 30])):
        with pytest.raises(UserError):
            label_log_probabilities(model, tokenizer, prompts, labels)
    with pytest.raises(UserError):
        label_log_probabilities(model, train_bpe(read_text("sample").text, 310), ["x"], [" a", " b"])
