"""A text is computed once, and everything that is asked of it afterwards is what the model computes."""

import pytest
import torch
from test_claims import TEXT, model

from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.reading import read
from hf_llm.tokenization.tokenizer import train_bpe


@pytest.fixture
def passes(monkeypatch) -> list[tuple]:
    """What each pass through the model was asked for."""
    made, forward = [], GPT2Explained.forward

    def counted(self, input_ids, capture=(), edit=None):
        made.append((input_ids.shape, edit))
        return forward(self, input_ids, capture, edit)

    monkeypatch.setattr(GPT2Explained, "forward", counted)
    return made


def test_a_text_is_computed_once_and_an_edit_or_another_text_anew(passes):
    tokenizer = train_bpe(TEXT, 270)
    original = model(tokenizer, 20)
    reading = read(original, tokenizer, TEXT)
    names = ["layer.*.attention.weights", "final_norm"]
    logits, seen = reading.model(reading.ids, capture=names)
    assert len(passes) == 1
    expected, also = original(reading.ids, capture=names)
    assert torch.equal(logits, expected)
    assert seen.keys() == also.keys()
    assert all(torch.equal(seen[name], also[name]) for name in seen)
    passes.clear()
    edited, _ = reading.model(reading.ids, edit={"layer.0.mlp.output": torch.zeros_like})
    assert not torch.equal(edited, logits)
    shorter, _ = reading.model(reading.ids[:, :-1])
    assert shorter.shape[1] == logits.shape[1] - 1
    assert len(passes) == 2
