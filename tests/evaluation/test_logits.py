"""Logits in slices are those of one forward pass, of every family, and never more of them than was said."""

import numpy as np
import pytest
import torch
from foreign_models import CONTEXT, FAMILIES, foreign_model

from hf_llm.evaluation import bits_per_byte, label_likelihood, logits
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.evaluation.label_likelihood import label_log_probabilities
from hf_llm.evaluation.logits import last_logits
from hf_llm.evaluation.random_blocks import random_block_loss
from hf_llm.evaluation.surprise import surprise

VOCAB = 300


@pytest.fixture
def at_most(monkeypatch):
    """Allow so many positions' logits at once, and return the list of how many each head call made."""

    def allow(model, positions: int) -> list[int]:
        for module in (logits, bits_per_byte):
            monkeypatch.setattr(module, "LOGITS", positions * model.get_input_embeddings().num_embeddings)
        made = []
        head = model.get_output_embeddings()
        head.register_forward_hook(lambda module, inputs, output: made.append(output.shape[:-1].numel()))
        return made

    return allow


@pytest.mark.parametrize("family", FAMILIES)
def test_slices_are_the_whole_of_every_family(family, at_most):
    model = foreign_model(family, VOCAB)
    ids = torch.arange(2, 2 + 2 * CONTEXT).view(2, CONTEXT)
    with torch.inference_mode():
        whole = model(input_ids=ids).logits[:, -15:]
        made = at_most(model, 2 * 4)
        found = list(last_logits(model, ids, 15))
        assert [first for first, _ in found] == [0, 4, 8, 12]
        torch.testing.assert_close(torch.cat([part for _, part in found], dim=1), whole, rtol=0, atol=1e-6)
        assert max(made) == 2 * 4
        torch.testing.assert_close(model(input_ids=ids).logits[:, -15:], whole, rtol=0, atol=0)  # as it was before


def test_whatever_wrapped_the_body_is_put_back(model, at_most):
    calls, forward = [], model.transformer.forward

    def wrapped(*arguments, **settings):
        calls.append(1)
        return forward(*arguments, **settings)

    model.transformer.forward = wrapped
    at_most(model, 2)
    assert len(list(last_logits(model, torch.arange(10)[None], 10))) == 5
    assert model.transformer.forward is wrapped
    assert len(calls) == 1, "the body ran more than once"


@pytest.mark.parametrize("stride", [1, 8, 16])
def test_no_evaluation_holds_more_the_first_window_neither(model, tokenizer, at_most, stride):
    ids = np.random.default_rng(0).integers(0, len(tokenizer), 50)
    lengths = np.ones(len(tokenizer), int)
    whole = evaluate_tokens(model, ids, lengths, stride, 16)
    block, bits = random_block_loss(model, ids, 16, batch_size=3, eval_iters=2), surprise(model, ids.tolist())
    made = at_most(model, 5)
    sliced = evaluate_tokens(model, ids, lengths, stride, 16)
    assert sliced.loss == pytest.approx(whole.loss, rel=1e-7)
    assert random_block_loss(model, ids, 16, batch_size=3, eval_iters=2) == pytest.approx(block, rel=1e-7)
    np.testing.assert_allclose(surprise(model, ids.tolist()), bits, rtol=1e-5)
    assert max(made) <= 5


def test_nor_does_the_likelihood_of_labels(model, tokenizer, at_most):
    prompts, labels = ["The", "The sea", "A"], [" a", " yes it is", " não"]
    whole = label_log_probabilities(model, tokenizer, prompts, labels)
    made = at_most(model, 9)
    found = label_log_probabilities(model, tokenizer, prompts, labels)
    np.testing.assert_allclose(found, whole, rtol=1e-6)
    assert max(made) <= 9
    assert label_likelihood.last_logits is last_logits
