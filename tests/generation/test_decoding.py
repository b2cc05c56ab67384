"""The loop beside transformers' own generate(), and beyond it: a window that slides."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MambaConfig, MambaForCausalLM

from hf_llm.config import UserError
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import beam_search, decode, end_of_text_ids, require_room_for_beams

PROMPT = [0, 70, 101, 259, 80]
CONTEXT = 32


def transformers_tokens(model, prompt, new_tokens, **kwargs):
    ids = torch.tensor([prompt])
    output = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens, do_sample=False, pad_token_id=0, **kwargs
    )
    return output[0, len(prompt) :].tolist()


def until_end(model, tokens):
    """Cut where generate() stops: behind the first end-of-text token."""
    ends = [place + 1 for place, token in enumerate(tokens) if token in end_of_text_ids(model)]
    return tokens[: min(ends, default=len(tokens))]


@pytest.mark.parametrize("penalty", [1.0, 1.3])
@pytest.mark.parametrize("length", [1, 5, 20])
def test_greedy_is_that_of_transformers_up_to_the_last_position(model, length, penalty):
    prompt = torch.randint(1, 300, (length,), generator=torch.Generator().manual_seed(length)).tolist()
    new = CONTEXT - length + 1  # the last token is written but not read
    settings = GenerationSettings(max_new_tokens=new, do_sample=False, repetition_penalty=penalty)
    expected = transformers_tokens(model, prompt, new, repetition_penalty=penalty)
    tokens = list(decode(model, prompt, settings))
    assert len(tokens) == new
    assert len(set(tokens)) > 1
    assert until_end(model, tokens) == expected


def test_top_k_1_is_greedy(model):
    greedy = GenerationSettings(max_new_tokens=20, do_sample=False)
    assert list(decode(model, PROMPT, GenerationSettings(max_new_tokens=20, top_k=1))) == list(
        decode(model, PROMPT, greedy)
    )


@pytest.mark.parametrize("prompt_length", [5, 32, 50])
def test_beyond_the_context_the_older_half_is_forgotten(model, prompt_length):
    prompt = torch.randint(1, 300, (prompt_length,), generator=torch.Generator().manual_seed(1)).tolist()
    tokens = list(decode(model, prompt, GenerationSettings(max_new_tokens=80, do_sample=False)))
    history, window = list(prompt), prompt[-CONTEXT:]
    for _ in range(80):  # the same without a cache
        if len(window) > CONTEXT:
            window = window[-CONTEXT // 2 :]
        with torch.no_grad():
            token = int(model(torch.tensor([window])).logits[0, -1].argmax())
        history.append(token)
        window = [*window, token]
    assert tokens == history[prompt_length:]


@pytest.mark.parametrize("beams", [2, 4])
def test_beams_are_those_of_transformers(model, beams):
    settings = GenerationSettings(max_new_tokens=20, do_sample=False, num_beams=beams, repetition_penalty=1.2)
    expected = transformers_tokens(model, PROMPT, 20, num_beams=beams, repetition_penalty=1.2)
    assert beam_search(model, PROMPT, settings) == expected


def test_beams_do_not_slide(model):
    require_room_for_beams(model, PROMPT, GenerationSettings(max_new_tokens=27, do_sample=False, num_beams=2))
    settings = GenerationSettings(max_new_tokens=28, do_sample=False, num_beams=2)
    with pytest.raises(UserError, match="max_new_tokens to at most 27"):
        require_room_for_beams(model, PROMPT, settings)
    with pytest.raises(UserError, match="Shorten the prompt"):
        require_room_for_beams(model, PROMPT * 8, settings)


def test_another_architecture():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=300, max_position_embeddings=32, initializer_range=0.2, **shape)
    llama = LlamaForCausalLM(config).eval()
    tokens = list(decode(llama, PROMPT, GenerationSettings(max_new_tokens=20, do_sample=False)))
    assert until_end(llama, tokens) == transformers_tokens(llama, PROMPT, 20)


def test_a_model_without_context_limit_and_key_value_cache():
    torch.manual_seed(0)
    config = MambaConfig(vocab_size=300, hidden_size=16, state_size=4, num_hidden_layers=2, initializer_range=0.5)
    mamba = MambaForCausalLM(config).eval()
    tokens = list(decode(mamba, PROMPT, GenerationSettings(max_new_tokens=20, do_sample=False)))
    assert until_end(mamba, tokens) == transformers_tokens(mamba, PROMPT, 20)
