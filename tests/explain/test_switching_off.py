"""A part switched off: the same as zeroing it in transformers' own model."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.switching_off import each_head_off, without_heads, without_mlp


@pytest.fixture
def explained(trained):
    return GPT2Explained.from_transformers(trained)


@torch.no_grad()
def test_each_head_off_is_its_slice_of_the_projection_off(trained, explained, sample_ids):
    ids = sample_ids[:1]
    found = each_head_off(explained, ids, layer=1)
    projection = trained.transformer.h[1].attn.c_proj.weight  # (n_embd, n_embd), the heads one after another
    whole = projection.clone()
    for head in range(4):
        projection.copy_(whole)
        projection[16 * head : 16 * (head + 1)] = 0
        expected = trained(ids).logits[0]
        torch.testing.assert_close(found[head], expected, atol=1e-4, rtol=1e-4)
        one = explained(ids, edit=without_heads(1, [head]))[0][0]  # shares the zeroed weights: zero twice is zero
        torch.testing.assert_close(one, expected, atol=1e-4, rtol=1e-4)
    projection.copy_(whole)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


@torch.no_grad()
def test_without_mlp_is_its_projection_off(trained, explained, sample_ids):
    found = explained(sample_ids, edit=without_mlp(2))[0]
    trained.transformer.h[2].mlp.c_proj.weight.zero_()
    trained.transformer.h[2].mlp.c_proj.bias.zero_()
    torch.testing.assert_close(found, trained(sample_ids).logits, atol=1e-4, rtol=1e-4)


def test_what_is_not_there_is_refused(explained, sample_ids):
    with pytest.raises(UserError, match="0 to 3"):
        explained(sample_ids, edit=without_heads(0, [4]))
    with pytest.raises(UserError, match="no layer 3"):
        each_head_off(explained, sample_ids[:1], 3)
