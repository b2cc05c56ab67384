"""Surprise by token: -log2 of transformers' softmax, each token once, with the context it is said to have."""

import math

import numpy as np
import pytest
import torch

from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.evaluation.surprise import surprise, view_start


def test_within_the_context_it_is_one_softmax(model):
    ids = np.random.default_rng(0).integers(0, model.config.vocab_size, model.config.n_positions + 1).tolist()
    with torch.no_grad():
        probabilities = model(torch.tensor([ids[:-1]])).logits[0].softmax(-1)
    expected = [-math.log2(row[token]) for row, token in zip(probabilities.tolist(), ids[1:], strict=True)]
    np.testing.assert_allclose(surprise(model, ids), expected, atol=1e-4)


def test_behind_the_context_each_prediction_reads_what_view_start_says(model):
    context = model.config.n_positions
    ids = np.random.default_rng(1).integers(0, model.config.vocab_size, 3 * context + 5).tolist()
    bits = surprise(model, ids)
    assert len(bits) == len(ids) - 1
    for place in range(1, len(ids)):
        start = view_start(model, place)
        assert place <= context or context // 2 <= place - start <= context
        with torch.no_grad():
            p = model(torch.tensor([ids[start:place]])).logits[0, -1].softmax(-1)[ids[place]]
        assert bits[place - 1] == pytest.approx(-math.log2(p), abs=1e-3)


def test_their_sum_is_the_texts_loss(model):
    ids = np.arange(1, model.config.n_positions)
    scores = evaluate_tokens(model, ids, np.ones(model.config.vocab_size, int), 1, model.config.n_positions)
    assert surprise(model, ids.tolist()).mean() * math.log(2) == pytest.approx(scores.loss, rel=1e-6)


def test_a_start_token_alone_surprises_nobody(model):
    assert len(surprise(model, [0])) == 0
