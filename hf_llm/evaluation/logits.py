"""A model's logits in slices of positions: they are the largest thing that evaluation holds, and grow with two numbers.

A window of 16,000 tokens has 2 GB of them over a vocabulary of 32,000, and the loss makes a second copy. The states
that they are made of are some hundred times smaller; so the body of the model runs once, and what comes behind it,
the output head and whatever a family does to its logits, runs slice by slice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

LOGITS = 1 << 26  # at most so many at once: 256 MB in fp32


def last_logits(
    model: PreTrainedModel, inputs: torch.Tensor, kept: int, mask: torch.Tensor | None = None,
    autocast: torch.dtype | None = None,
) -> Iterator[tuple[int, torch.Tensor]]:  # fmt: skip
    """Yield the logits at the last `kept` positions, those of the first position first, at most `LOGITS` at a time.

    Args:
        model: Any causal LM of transformers.
        inputs: Token ids, (B, T).
        kept: 1 to T.
        mask: 0 where a token is padding, (B, T); without it all is text.
        autocast: Precision of the forward pass, such as `torch.bfloat16`.

    Yields:
        The slice's first position, 0 being the first that is kept, and its logits, (B, positions, vocab).
    """
    # without a mask transformers would warn that start tokens may be padding
    arguments = {"input_ids": inputs, "attention_mask": torch.ones_like(inputs) if mask is None else mask}
    B, T = inputs.shape
    size = max(1, LOGITS // (B * model.get_input_embeddings().num_embeddings))  # positions a slice
    precision = torch.autocast(inputs.device.type, dtype=autocast, enabled=autocast is not None)
    knows_kept = "logits_to_keep" in signature(model.forward).parameters  # TrOCR and xLSTM give all of them
    if size >= (kept if knows_kept else T):
        with precision:
            yield 0, model(**arguments, logits_to_keep=kept, use_cache=False).logits[:, -kept:]
        return
    with _body_runs_once(model) as show:
        for first in range(0, kept, size):
            show(slice(T - kept + first, T - kept + min(first + size, kept)))
            with precision:
                logits = model(**arguments, use_cache=False).logits
            yield first, logits


@contextmanager
def _body_runs_once(model: PreTrainedModel) -> Iterator:
    """Let the model's body remember its states (B, T, n_embd); the block says which positions the head then sees."""
    body, remembered, shown = _body(model), [], [slice(None)]
    forward = body.forward

    def answer(*arguments, **settings):
        if not remembered:
            remembered.append(forward(*arguments, **settings))
        (output,) = remembered
        states = output[0][:, shown[0]]  # (B, positions, n_embd)
        if isinstance(output, ModelOutput):
            return type(output)({**output, "last_hidden_state": states})
        return (states, *output[1:])

    def show(positions: slice) -> None:
        shown[0] = positions

    replaced = vars(body).get("forward")  # of the class, unless something has wrapped it
    body.forward = answer
    try:
        yield show
    finally:
        del body.forward
        if replaced is not None:
            body.forward = replaced


def _body(model: PreTrainedModel) -> nn.Module:
    """Return what a model calls before its output head."""
    embeddings = model.get_input_embeddings()
    holders = (child for child in model.children() if any(module is embeddings for module in child.modules()))
    # in most families both are one; OPT and BART call the decoder inside; Llama 4 names neither
    return next(module for module in (model.get_decoder(), model.base_model, *holders) if module is not model)
