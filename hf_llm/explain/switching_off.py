"""Parts of a GPT-2 switched off: what does it predict without a head, without all heads of a layer, without its MLP?

Switched off means that the part writes zeros into the residual stream where its answer was; all else goes on. If the
prediction hardly moves, then on this text the part did little that the rest cannot do without (Michel et al. 2019,
"Are Sixteen Heads Really Better than One?").

>>> logits, _ = model(input_ids, edit=without_heads(layer=3, heads=[5]))
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.texts import both

Edit = dict[str, Callable[[Tensor], Tensor]]
PARTS = ("head", "heads", "mlp")  # what can be switched off


def without(part: str, layer: int, head: int, n_head: int) -> Edit:
    """Return the edit that switches a part of `layer` off: the `head`, all its `n_head` `heads` or the `mlp`."""
    require(part in PARTS, both("explain.no_part", parts=", ".join(PARTS), part=part))
    if part == "mlp":
        return without_mlp(layer)
    return without_heads(layer, [head] if part == "head" else list(range(n_head)))


def without_heads(layer: int, heads: Sequence[int]) -> Edit:
    """Return the edit that switches `heads` of `layer` off, both from 0."""

    def off(head_output: Tensor) -> Tensor:  # (B, n_head, T, head_size)
        n_head = head_output.shape[1]
        require(all(0 <= head < n_head for head in heads), f"the heads of a layer are 0 to {n_head - 1}, not {heads}")
        return head_output.index_fill(1, torch.tensor(heads), 0.0)

    return {f"layer.{layer}.attention.head_output": off}


def without_mlp(layer: int) -> Edit:
    """Return the edit that switches the MLP of `layer` off."""
    return {f"layer.{layer}.mlp.output": torch.zeros_like}


def each_head_off(model: GPT2Explained, input_ids: Tensor, layer: int) -> Tensor:
    """Switch each head of a layer off in turn, all in one pass over copies of the text, ids of shape (1, T).

    Returns:
        Logits, shape (n_head, T, vocab_size): row i is the answer without head i.

    Raises:
        UserError: When the ids do not fit the model, or there is no such layer.
    """
    model.require_head(layer)
    n_head = model.h[layer].attn.n_head

    on = 1 - torch.eye(n_head)[:, :, None, None]  # (n_head, n_head, 1, 1): copy, head
    edit = {f"layer.{layer}.attention.head_output": lambda heads: heads * on}  # (n_head, n_head, T, head_size)
    return model(input_ids.expand(n_head, -1), edit=edit)[0]
