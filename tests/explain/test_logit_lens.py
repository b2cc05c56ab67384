"""The lens: its last layer is the model's output, and each layer is read by the model's own norm and head."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.logit_lens import logit_lens


def test_the_last_layer_is_the_models_output(trained, sample_ids):
    lens = dict(logit_lens(GPT2Explained.from_transformers(trained), sample_ids))
    assert list(lens) == ["embedding.output", "layer.0.output", "layer.1.output", "layer.2.output"]
    with torch.no_grad():
        expected = trained(sample_ids).logits
    torch.testing.assert_close(lens["layer.2.output"], expected, atol=1e-4, rtol=1e-4)


def test_an_earlier_layer_is_read_by_the_models_norm_and_head(trained, sample_ids):
    lens = dict(logit_lens(GPT2Explained.from_transformers(trained), sample_ids))
    with torch.no_grad():
        states = trained(sample_ids, output_hidden_states=True).hidden_states
        for name, state in zip(["embedding.output", "layer.0.output", "layer.1.output"], states):
            expected = trained.lm_head(trained.transformer.ln_f(state))
            torch.testing.assert_close(lens[name], expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(lens["layer.0.output"], lens["layer.2.output"], atol=1e-2)


def test_too_many_tokens_are_refused(trained):
    with pytest.raises(UserError, match="context"):
        next(logit_lens(GPT2Explained.from_transformers(trained), torch.zeros(1, 49, dtype=torch.long)))
