"""The distribution before and after each setting: transformers' own softmax, and what the sampler draws from."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.next_token import next_token_stages
from hf_llm.generation.sampling import Sampler
from hf_llm.tokenization.tokenizer import encode_document

ALL = GenerationSettings(temperature=0.5, top_k=20, top_p=0.9, repetition_penalty=1.5)


@pytest.fixture
def ids(tokenizer) -> list[int]:
    return encode_document(tokenizer, "Seu Firmino").tolist()


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[:, -1]


def test_the_first_stage_is_the_models_softmax(model, ids):
    (stage,) = next_token_stages(model, ids, GenerationSettings(temperature=1.0))
    assert (stage.name, stage.possible) == ("model", model.config.vocab_size)
    torch.testing.assert_close(stage.probabilities, logits(model, ids).softmax(-1)[0], atol=1e-6, rtol=0)


def test_the_stages_are_those_of_the_sampler_and_the_last_is_what_it_draws_from(model, ids):
    stages = next_token_stages(model, ids, ALL)
    assert [stage.name for stage in stages] == ["model", "repetition_penalty", "temperature", "top_k", "top_p"]
    drawn_from = Sampler(ALL, model.device).scores(torch.tensor([ids]), logits(model, ids)).softmax(-1)[0]
    torch.testing.assert_close(stages[-1].probabilities, drawn_from, atol=1e-6, rtol=0)
    for stage in stages:
        assert stage.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert stage.possible == int((stage.probabilities > 0).sum())


def test_each_stage_does_what_its_name_says(model, ids):
    model_, penalty, temperature, top_k, top_p = (stage.probabilities for stage in next_token_stages(model, ids, ALL))
    seen = torch.tensor(sorted(set(ids)))
    assert penalty[seen].sum() < model_[seen].sum()
    torch.testing.assert_close(temperature, penalty.log().div(0.5).softmax(-1), atol=1e-6, rtol=0)
    kept = temperature.topk(20).indices
    torch.testing.assert_close(top_k[kept], temperature[kept] / temperature[kept].sum(), atol=1e-6, rtol=0)
    ranked = top_k.sort(descending=True).values
    fewest = int((ranked.cumsum(0) < 0.9).sum()) + 1  # the smallest set that holds 0.9
    assert int((top_p > 0).sum()) == fewest


def test_greedy_leaves_the_penalty_alone(model, ids):
    settings = GenerationSettings(do_sample=False, temperature=0.5, top_k=3, repetition_penalty=1.5)
    assert [stage.name for stage in next_token_stages(model, ids, settings)] == ["model", "repetition_penalty"]


def test_of_more_than_the_context_the_last_part_is_read(model, ids):
    long = ids * 20
    (stage,) = next_token_stages(model, long, GenerationSettings(temperature=1.0))
    expected = logits(model, long[-model.config.n_positions :]).softmax(-1)[0]
    torch.testing.assert_close(stage.probabilities, expected, atol=1e-6, rtol=0)


def test_a_diverged_model(model, ids):
    with torch.no_grad():
        model.lm_head.weight.fill_(torch.nan)
    with pytest.raises(UserError, match="not a finite number"):
        next_token_stages(model, ids, ALL)
