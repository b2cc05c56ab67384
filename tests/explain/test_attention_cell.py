"""The written-out cells are those of transformers' eager attention."""

import math

import pytest
import torch
from transformers import GPT2LMHeadModel

from hf_llm.config import UserError
from hf_llm.explain.attention_cell import attention_cell
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.models.gpt2 import gpt2_config


@pytest.fixture
def explained(trained):
    return GPT2Explained.from_transformers(trained)


@pytest.fixture
def attentions(trained, sample_ids):
    eager = GPT2LMHeadModel(gpt2_config("nano", vocab_size=256, n_positions=48, n_layer=3, n_head=4, attention="eager"))
    eager.load_state_dict(trained.state_dict())
    with torch.no_grad():
        return eager.eval()(sample_ids[:1], output_attentions=True).attentions


@pytest.mark.parametrize(("layer", "head", "query", "key"), [(0, 0, 0, 0), (1, 3, 20, 7), (2, 2, 47, 47), (2, 1, 9, 0)])
def test_the_arithmetic_leads_to_the_models_weight(explained, attentions, sample_ids, layer, head, query, key):
    cell = attention_cell(explained, sample_ids[:1], layer, head, query, key)
    assert cell["products"] == pytest.approx([q * k for q, k in zip(cell["query"], cell["key"])], abs=1e-6)
    assert sum(cell["products"]) == pytest.approx(cell["product"], abs=1e-5)
    assert cell["product"] / cell["scale"] == pytest.approx(cell["score"], abs=1e-5)
    assert math.exp(cell["score"] - cell["largest"]) == pytest.approx(cell["exponential"], abs=1e-6)
    assert cell["exponential"] / cell["sum"] == pytest.approx(cell["weight"], abs=1e-6)
    assert cell["weight"] == pytest.approx(attentions[layer][0, head, query, key].item(), abs=1e-5)


def test_a_later_key_is_masked(explained, sample_ids):
    cell = attention_cell(explained, sample_ids[:1], layer=0, head=0, query=3, key=4)
    assert cell["score"] is None
    assert cell["exponential"] == cell["weight"] == 0
    assert math.isfinite(cell["product"])


@pytest.mark.parametrize(
    ("place", "sentence"),
    [((3, 0, 0, 0), "no layer 3"), ((0, 4, 0, 0), "no head 4"), ((0, 0, 48, 0), r"\(48, 0\)"), ((0, 0, 0, -1), "−1")],
)
def test_what_is_not_there_is_refused(explained, sample_ids, place, sentence):
    with pytest.raises(UserError, match=sentence):
        attention_cell(explained, sample_ids[:1], *place)
    with pytest.raises(UserError, match="one text"):
        attention_cell(explained, sample_ids, 0, 0, 0, 0)
