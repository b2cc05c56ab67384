"""Token ids are only addresses: number the tokens anew, move their embedding rows along, and nothing changes.

An id is used for one thing, to fetch a row of the embedding. Its size means nothing: token 7 is not "more" than token
3. The row is what the model knows about the token.

>>> logits = renumbered(model, input_ids, order, move_rows=True)
>>> bool((logits - model(input_ids)[0]).abs().max() < 1e-4)
True
"""

import torch
from torch import Tensor
from torch.func import functional_call

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained


def new_ids(order: Tensor) -> Tensor:
    """Return the new id of each old one, shape (vocab_size,), where `order` holds the old id of each new one."""
    return order.argsort()


def renumbered(model: GPT2Explained, input_ids: Tensor, order: Tensor, move_rows: bool) -> Tensor:
    """Compute the logits with tokens numbered anew; the model is left as it is.

    Args:
        input_ids: Old token ids, shape (B, T).
        order: The old id of each new one: a permutation, shape (vocab_size,).
        move_rows: Whether the embedding's rows move along. If not, each new id fetches the row of another token.

    Returns:
        Logits, shape (B, T, vocab_size), put back into the order of the old ids so that they compare with `model`'s.

    Raises:
        UserError: When `order` is no permutation of the model's ids.
    """
    vocab_size = model.wte.num_embeddings
    is_permutation = torch.equal(order.sort().values, torch.arange(vocab_size))
    require(is_permutation, f"order must hold each id from 0 to {vocab_size - 1} once")
    renumber = new_ids(order)  # (vocab_size,)
    rows = model.wte.weight[order] if move_rows else model.wte.weight  # (vocab_size, n_embd)
    logits, _ = functional_call(model, {"wte.weight": rows}, (renumber[input_ids],))
    return logits[..., renumber]
