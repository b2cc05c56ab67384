"""What V adds: in one layer a token's values are zero; its key, its query and all weights of attention stay."""

from typing import NamedTuple

import torch
from torch import Tensor

from hf_llm.explain.reading import Reading


class ValueOff(NamedTuple):
    """What the last token of a text of T tokens gets from one layer, with and without the values of one token."""

    head: int  # the head that gives that token most weight
    key: int  # its position
    weights: Tensor  # (T,) of the last token in that head
    moved_weights: float  # the most that any weight of the layer changed
    v: Tensor  # (T, head_size)
    mixed: Tensor  # (head_size,) the weighted sum of the values
    mixed_without: Tensor  # (head_size,)
    before: Tensor  # (vocab_size,) probabilities of the next token
    after: Tensor  # (vocab_size,)


def value_off(reading: Reading, layer: int, key: int | None = None) -> ValueOff:
    """Switch the values of the token at position `key` off, in all heads of `layer`.

    Args:
        reading: The text.
        layer: From 0.
        key: A position; None for the token before the last one, beside the very first, that any head weighs most.

    Raises:
        UserError: When there is no such layer or token.
    """
    reading.model.require_head(layer)
    name = f"layer.{layer}.attention"
    names = [f"{name}.{each}" for each in ("weights", "v", "head_output")]
    seen = reading.model(reading.ids, capture=names)[1]
    weights, v, mixed = (seen[each][0] for each in names)
    of_last = weights[:, -1]  # (n_head, T)
    if key is None:
        inner = of_last[:, 1:-1] if reading.T > 2 else of_last
        key = int(inner.max(0).values.argmax()) + (reading.T > 2)
    key = reading.position(key)
    head = int(of_last[:, key].argmax())
    # v is (1, n_head, T, head_size)
    logits, seen = reading.model(
        reading.ids, capture=names, edit={f"{name}.v": lambda v: v.index_fill(2, torch.tensor(key), 0.0)}
    )
    return ValueOff(
        head, key, of_last[head], float((seen[names[0]][0] - weights).abs().max()), v[head], mixed[head, -1],
        seen[names[2]][0, head, -1], reading.logits[-1].softmax(-1), logits[0, -1].softmax(-1),
    )  # fmt: skip
