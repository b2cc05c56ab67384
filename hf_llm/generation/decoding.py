"""From a prompt to token ids, one by one: a loop with a key-value cache, and beam search.

transformers' `generate()` raises an IndexError once prompt and new tokens exceed the position embeddings, which a
small model's context does at once. This loop lets the window slide: when it is full, the model forgets its older half
and reads the newer half again, as at the start of a text. Within the context, greedy text is that of `generate()`.
"""

from collections.abc import Iterator

import torch
from transformers import PreTrainedModel

from hf_llm.config import require
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.sampling import Sampler
from hf_llm.generation.step import step_of
from hf_llm.models.context import context_length
from hf_llm.texts import both


def decode(model: PreTrainedModel, prompt_ids: list[int], settings: GenerationSettings) -> Iterator[int]:
    """Yield the `max_new_tokens` next tokens, greedily or sampled. It does not stop at an end-of-text token.

    `settings` alone decide: a temperature or a penalty in the model's own generation config is not used. The model is
    in evaluation mode; of a prompt longer than the context the last part is read, and it has at least one token.
    """
    context, step = context_length(model), step_of(model, settings.precision)
    choose = Sampler(settings, model.device)
    history = torch.tensor([prompt_ids], device=model.device)  # (1, T), all tokens: the repetition penalty wants them
    window = len(prompt_ids) if context is None else min(len(prompt_ids), context)  # the last tokens, which are in view
    logits = step.begin(history[:, -window:])
    for left in reversed(range(settings.max_new_tokens)):
        chosen = choose(history, logits)
        token = int(chosen)
        yield token
        if not left:
            return
        history, window = torch.cat([history, chosen], dim=1), window + 1
        if context is not None and window > context:
            window = max(1, context // 2)
            logits = step.begin(history[:, -window:])
        else:
            logits = step.go_on(token)


def require_room_for_beams(model: PreTrainedModel, prompt_ids: list[int], settings: GenerationSettings) -> None:
    """Raise `UserError` when prompt and new tokens exceed the context: the window of beam search does not slide."""
    context = context_length(model)
    if context is None:
        return
    room = context - len(prompt_ids)
    advice = both("generation.fewer_tokens", room=room) if room > 0 else both("generation.shorter_prompt")
    values = {"context": context, "prompt": len(prompt_ids), "new": settings.max_new_tokens, "advice": advice}
    require(settings.max_new_tokens <= room, both("generation.beams_too_long", **values))


def beam_search(model: PreTrainedModel, prompt_ids: list[int], settings: GenerationSettings) -> list[int]:
    """Return the new tokens of the likeliest of `num_beams` texts, by transformers' own beam search."""
    prompt = torch.tensor([prompt_ids], device=model.device)
    output = model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_length=len(prompt_ids) + settings.max_new_tokens,
        num_beams=settings.num_beams, do_sample=False, repetition_penalty=settings.repetition_penalty,
        pad_token_id=next(iter(end_of_text_ids(model)), 0),  # only fills up behind the end
    )  # fmt: skip
    return output[0, len(prompt_ids) :].tolist()


def end_of_text_ids(model: PreTrainedModel) -> list[int]:
    """Return the ids that end a text by the model's own generation config; none, one or several."""
    ids = model.generation_config.eos_token_id
    return [] if ids is None else [ids] if isinstance(ids, int) else list(ids)
