"""How much each token of a text surprises a model: -log2 p, in bits (Shannon 1948).

A token that was certain costs 0 bits; each further bit halves the probability: 1 bit is a coin toss, 10 bits is one
in 1,024. Their sum over the text's bytes is bits per byte.
"""

import math

import numpy as np
import torch
from transformers import PreTrainedModel

from hf_llm.evaluation.bits_per_byte import token_losses
from hf_llm.generation.inference import evaluating
from hf_llm.models.context import context_length


def surprise(model: PreTrainedModel, token_ids: list[int]) -> np.ndarray:
    """Return -log2 p of each token but the first, which starts the document; float64, shape (N - 1,)."""
    ids = torch.tensor([token_ids], device=model.device)  # (1, N)
    bits, place = [], 1
    with torch.inference_mode(), evaluating(model):
        while place < len(token_ids):
            start = view_start(model, place)
            end = place + 1
            while end < len(token_ids) and view_start(model, end) == start:
                end += 1
            bits.append(token_losses(model, ids[:, start:end], kept=end - place)[0].double().cpu() / math.log(2))
            place = end
    return torch.cat(bits).numpy() if bits else np.zeros(0)


def view_start(model: PreTrainedModel, place: int) -> int:
    """Return the first token that the model reads when it predicts `token_ids[place]`.

    Up to the context's length that is 0. Behind it, a window of the context moves on by half its length whenever it
    is full, so that each prediction has at least half the context.
    """
    context = context_length(model)
    if context is None or place <= context:
        return 0
    half = max(1, context // 2)
    return math.ceil((place - context) / half) * half
