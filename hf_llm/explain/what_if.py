"""What if … a part of the model were switched off, or all tokens had other numbers? The answers as JSON-ready dicts."""

import torch

from hf_llm.explain.reading import Reading
from hf_llm.explain.renumbering import new_ids, renumbered
from hf_llm.explain.switching_off import each_head_off, without


def switched_off(reading: Reading, layer: int, head: int, part: str, token: int = -1) -> dict:
    """Return the likeliest next tokens with and without a part of a layer.

    Args:
        reading: The text.
        layer, head: Which, from 0.
        part: `head`, `heads` (all of the layer) or `mlp`.
        token: After which token.

    Returns:
        `next`: the likeliest tokens with and without, {id, text, before, after}; `moved`: what fraction of
        the probability went to other tokens, from 0 to 1 (the total variation distance); `heads`: the same for each
        head of the layer alone.

    Raises:
        UserError: When there is no such layer, head, part or token.
    """
    reading.model.require_head(layer)
    token = reading.position(token)
    edit = without(part, layer, head, reading.n_head)
    before = reading.logits[token].softmax(-1)  # (vocab_size,)
    after = reading.model(reading.ids, edit=edit)[0][0, token].softmax(-1)
    alone = each_head_off(reading.model, reading.ids, layer)[:, token].softmax(-1)  # (n_head, vocab_size)
    named = {one["id"]: one["text"] for one in reading.likely(before) + reading.likely(after, 3)}
    return {
        "next": [{"id": i, "text": label, "before": before[i].item(), "after": after[i].item()}
                 for i, label in named.items()],
        "moved": (before - after).abs().sum().item() / 2,
        "heads": [{"head": i, "moved": (before - one).abs().sum().item() / 2} for i, one in enumerate(alone)],
    }  # fmt: skip


def addresses(reading: Reading, shuffle: int, token: int = -1) -> dict:
    """Return what happens when all tokens get new ids, in an order drawn with the seed `shuffle`.

    Returns:
        `tokens`: {text, id, new_id}; `with_rows` and `without_rows`: {next, largest_difference}, the prediction when
        the rows of the embedding move along or stay, and how far any logit of the text moved.
    """
    token, size = reading.position(token), reading.model.wte.num_embeddings
    order = torch.randperm(size, generator=torch.Generator().manual_seed(shuffle))  # (vocab_size,)
    numbers = zip(reading.labels, reading.ids[0].tolist(), new_ids(order)[reading.ids[0]].tolist())
    tokens = [{"text": text, "id": id, "new_id": new_id} for text, id, new_id in numbers]
    found = {}
    for name, move_rows in (("with_rows", True), ("without_rows", False)):
        logits = renumbered(reading.model, reading.ids, order, move_rows)
        found[name] = {
            "next": reading.likely(logits[0, token].softmax(-1), 5),
            "largest_difference": (logits[0] - reading.logits).abs().max().item(),
        }
    return {"tokens": tokens, "before": reading.likely(reading.logits[token].softmax(-1), 5), **found}
