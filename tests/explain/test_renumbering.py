"""Ids are addresses: with their rows they may be permuted, without them they may not."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.renumbering import new_ids, renumbered


def test_rows_that_move_along_change_nothing_and_rows_that_stay_change_all(trained, sample_ids):
    model = GPT2Explained.from_transformers(trained)
    before = model(sample_ids)[0]
    order = torch.randperm(256, generator=torch.Generator().manual_seed(0))
    assert torch.equal(order[new_ids(order)], torch.arange(256))
    torch.testing.assert_close(renumbered(model, sample_ids, order, move_rows=True), before, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(renumbered(model, sample_ids, order, move_rows=False), before, atol=1)
    assert torch.equal(model(sample_ids)[0], before)


def test_no_permutation_is_refused(trained, sample_ids):
    model = GPT2Explained.from_transformers(trained)
    with pytest.raises(UserError, match="0 to 255"):
        renumbered(model, sample_ids, torch.zeros(256, dtype=torch.long), move_rows=True)
