"""One cell of an attention map with every number that goes into it: Q·K, scale, mask, softmax.

The cell (query, key) says which share of its attention the token at `query` gives to the token at `key` (Vaswani et
al. 2017, "Attention Is All You Need", equation 1).

>>> cell = attention_cell(model, input_ids, layer=2, head=1, query=9, key=4)
>>> abs(cell.products.sum() / cell.scale - cell.score) < 1e-5
True
"""

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.texts import both


@dataclass(frozen=True)
class AttentionCell:
    """query × key = products, each (head_size,); sum / scale = score; exponentials of the row (T,); weight.

    A masked cell has the score -inf, its exponential and its weight are 0. From every score of the row `largest` is
    taken before the exponential, so that none overflows; it cancels in the division.
    """

    query: np.ndarray
    key: np.ndarray
    products: np.ndarray
    product: float
    scale: float
    score: float
    masked: bool
    largest: float
    exponentials: np.ndarray
    weight: float


def attention_cell(
    model: GPT2Explained, input_ids: Tensor, layer: int, head: int, query: int, key: int
) -> AttentionCell:
    """Write out one cell of the map of a head.

    Args:
        model: A readable GPT-2.
        input_ids: Token ids of one text, shape (1, T).
        layer, head: Which map, each from 0.
        query, key: Row and column: the place of the token that looks, and of the one looked at, from 0.

    Raises:
        UserError: When there is no such layer, head or position.
    """
    require(input_ids.shape[0] == 1, f"one text at a time; input_ids has shape {tuple(input_ids.shape)}")
    T, layers = input_ids.shape[1], len(model.h)
    require(0 <= layer < layers, both("explain.no_layer", layer=layer, last=layers - 1))
    heads = model.h[layer].attn.n_head
    require(0 <= head < heads, both("explain.no_head", head=head, last=heads - 1))
    require(0 <= query < T and 0 <= key < T, both("explain.no_cell", row=query, column=key, last=T - 1))
    name = f"layer.{layer}.attention"
    _, seen = model(input_ids, capture=[f"{name}.q", f"{name}.k", f"{name}.masked_scores", f"{name}.weights"])
    q, k = seen[f"{name}.q"][0, head, query], seen[f"{name}.k"][0, head, key]  # (head_size,)
    row = seen[f"{name}.masked_scores"][0, head, query]  # (T,)
    largest, products, scale = row.max(), q * k, math.sqrt(len(q))
    return AttentionCell(
        query=q.numpy(),
        key=k.numpy(),
        products=products.numpy(),
        product=products.sum().item(),
        scale=scale,
        score=row[key].item() if key <= query else -math.inf,
        masked=key > query,
        largest=largest.item(),
        exponentials=(row - largest).exp().numpy(),
        weight=seen[f"{name}.weights"][0, head, query, key].item(),
    )
