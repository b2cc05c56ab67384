"""What the next token may be: the model's own probabilities, then what each setting of the sampling makes of them.

>>> settings = GenerationSettings(temperature=0.8, top_p=0.9)
>>> for stage in next_token_stages(model, encode_prompt(tokenizer, "I had always"), settings):
...     print(stage.name, stage.possible, stage.probabilities.max())
"""

from typing import Literal, NamedTuple

import torch
from transformers import PreTrainedModel

from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.inference import evaluating
from hf_llm.generation.sampling import Sampler
from hf_llm.models.context import context_length


class Stage(NamedTuple):
    """The distribution at one point on the way from the logits to the draw."""

    # `model` for the model's own softmax, else the setting that was applied last
    name: Literal["model", "repetition_penalty", "temperature", "top_k", "top_p"]
    probabilities: torch.Tensor  # over the whole vocabulary, fp32, shape (vocab,); 0 for a token that was ruled out
    possible: int  # how many tokens were not ruled out


@torch.inference_mode()
def next_token_stages(model: PreTrainedModel, token_ids: list[int], settings: GenerationSettings) -> list[Stage]:
    """Return the distribution of the token behind `token_ids` before and after each setting, in `Sampler`'s order.

    A setting that is switched off is left out; greedy settings (`do_sample=False`) leave the penalty alone. There is
    at least one token; of more than the context the last part is read, as `decode` does.

    Raises:
        UserError: When the model's output is not a finite number.
    """
    history = torch.tensor([token_ids], device=model.device)  # (1, T)
    context = context_length(model)
    read = history if context is None else history[:, -context:]
    with evaluating(model):
        logits = model(input_ids=read, attention_mask=torch.ones_like(read), logits_to_keep=1, use_cache=False).logits
    sampler = Sampler(settings, model.device)
    scores = sampler.finite(logits[:, -1])  # (1, vocab)
    stages = [_stage("model", scores)]
    for name, processor in sampler.processors.items():
        scores = processor(history, scores.clone())  # a clone: processors write in place
        stages.append(_stage(name, scores))
    return stages


def _stage(name: str, scores: torch.Tensor) -> Stage:
    return Stage(name, scores[0].softmax(-1), int((scores > -torch.inf).sum()))
