"""The sampler beside transformers' own scores on the same logits."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import decode
from hf_llm.generation.sampling import Sampler

NO_CHANGE = [{"temperature": 1.0}, {"temperature": 1.0, "top_k": 10_000}]
HISTORY = torch.tensor([[0, 70, 101, 259, 70]])


@pytest.mark.parametrize(
    "choice",
    [
        *NO_CHANGE,
        {"temperature": 0.5},
        {"temperature": 1.7, "top_k": 7},
        {"temperature": 1.0, "top_p": 0.6},
        {"temperature": 0.7, "top_k": 20, "top_p": 0.9, "repetition_penalty": 1.5},
        {"temperature": 1.0, "repetition_penalty": 0.8},
    ],
)
def test_scores_are_those_of_transformers(model, choice):
    everything = {"top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, **choice}
    output = model.generate(
        HISTORY,
        attention_mask=torch.ones_like(HISTORY),
        max_new_tokens=1,
        do_sample=True,
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
        **everything,
    )
    scores = Sampler(GenerationSettings(**choice), model.device).scores(HISTORY, output.logits[0])
    assert torch.equal(scores, output.scores[0])
    assert not torch.equal(scores, output.logits[0]) or choice in NO_CHANGE


def test_draws_follow_the_scores(model):
    sampler = Sampler(GenerationSettings(temperature=1.0, top_k=5), model.device)
    logits = torch.linspace(-1, 1, 300)[None]
    draws = torch.cat([sampler(HISTORY, logits) for _ in range(4000)]).flatten()
    expected = sampler.scores(HISTORY, logits).softmax(-1)[0]
    assert torch.allclose(draws.bincount(minlength=300) / 4000, expected, atol=0.03)


def test_the_logits_are_left_as_they_are():
    logits = torch.randn(1, 300)
    before = logits.clone()
    Sampler(GenerationSettings(top_k=3, repetition_penalty=2.0), logits.device)(HISTORY, logits)
    assert torch.equal(logits, before)


def test_a_seed_is_a_text_whatever_ran_before(model):
    first = list(decode(model, [0, 5], GenerationSettings(max_new_tokens=25, seed=3)))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert list(decode(model, [0, 5], GenerationSettings(max_new_tokens=25, seed=3))) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert list(decode(model, [0, 5], GenerationSettings(max_new_tokens=25, seed=4))) != first


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_diverged_model_gets_a_sentence(model, broken):
    model.lm_head.weight.data[7] = broken
    with pytest.raises(UserError, match="diverged"):
        next(decode(model, [0], GenerationSettings(do_sample=False)))
