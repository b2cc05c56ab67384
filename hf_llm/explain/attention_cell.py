"""One cell of an attention map with every number that goes into it: Q·K, scale, mask, softmax.

The cell (query, key) says which share of its attention the token at `query` gives to the token at `key` (Vaswani et
al. 2017, "Attention Is All You Need", equation 1).

>>> cell = attention_cell(model, input_ids, layer=2, head=1, query=9, key=4)
>>> abs(cell["product"] / cell["scale"] - cell["score"]) < 1e-5
True
"""

import math

from torch import Tensor

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.texts import both


def attention_cell(model: GPT2Explained, input_ids: Tensor, layer: int, head: int, query: int, key: int) -> dict:
    """Write out one cell of the map of a head, ready for JSON; `input_ids` are those of one text, shape (1, T).

    Layer and head count from 0, as do `query` and `key`: the places of the token that looks and of the one looked at.

    Returns:
        `query` × `key` = `products`, (head_size,) each; their sum `product` / `scale` = `score`, None where masked;
        `exponential` of the score, `sum` of those of the row, and their quotient, the `weight`. Before the
        exponential the `largest` score of the row is subtracted from each, so that none overflows; it cancels.

    Raises:
        UserError: When there is no such layer, head or position.
    """
    require(input_ids.shape[0] == 1, f"one text at a time; input_ids has shape {tuple(input_ids.shape)}")
    model.require_head(layer, head)
    T = input_ids.shape[1]
    require(0 <= query < T and 0 <= key < T, both("explain.no_cell", row=query, column=key, last=T - 1))
    name = f"layer.{layer}.attention"
    _, seen = model(input_ids, capture=[f"{name}.q", f"{name}.k", f"{name}.masked_scores", f"{name}.weights"])
    q, k = seen[f"{name}.q"][0, head, query], seen[f"{name}.k"][0, head, key]  # (head_size,)
    row = seen[f"{name}.masked_scores"][0, head, query]  # (T,)
    exponentials = (row - row.max()).exp().numpy()  # (T,)
    return {
        "query": q.tolist(), "key": k.tolist(), "products": (q * k).tolist(), "product": (q * k).sum().item(),
        "scale": math.sqrt(len(q)), "score": row[key].item() if key <= query else None, "largest": row.max().item(),
        "exponential": float(exponentials[key]), "sum": float(exponentials.sum()),
        "weight": seen[f"{name}.weights"][0, head, query, key].item(),
    }  # fmt: skip
