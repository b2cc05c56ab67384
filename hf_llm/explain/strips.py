"""All numbers of one picture of a GPT-2: what each token's vector is at each place, with one layer and one head opened.

The fields of `Strips` stand in the order of computation. Each has a row for each token, so that a picture draws one
strip of numbers a token and place; nothing in it is computed twice or for the picture alone.

>>> found = strips(model, input_ids, layer=1, head=0)
>>> bool(torch.allclose(found.softmax @ found.v, found.mixed, atol=1e-6))  # attention: a weighted sum of values
True
>>> bool(torch.allclose(found.before + found.projection, found.mid, atol=1e-5))  # the residual connection
True
"""

from typing import NamedTuple

import torch
from torch import Tensor

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.switching_off import without


class Strips(NamedTuple):
    """What a text of T tokens is at each place of a GPT-2; head_size is n_embd / n_head."""

    token: Tensor  # (T, n_embd) what each token is
    position: Tensor  # (T, n_embd) where it stands
    embedding: Tensor  # (T, n_embd) their sum
    before: Tensor  # (T, n_embd) the stream that the layer finds
    attention_norm: Tensor  # (T, n_embd) the first LayerNorm
    q: Tensor  # (T, head_size) of the chosen head, as are the following
    k: Tensor  # (T, head_size)
    v: Tensor  # (T, head_size)
    product: Tensor  # (T, T) Q·K
    scale: Tensor  # (T, T) divided by the root of head_size
    mask: Tensor  # (T, T) -inf where the key comes after the query
    softmax: Tensor  # (T, T) the weights; each row sums to 1
    mixed: Tensor  # (T, head_size) the weighted sum of the values
    every_head: Tensor  # (n_head, T, T) the weights of each head of the layer
    side_by_side: Tensor  # (T, n_embd) the sums of all heads
    projection: Tensor  # (T, n_embd) the output projection: what attention adds
    mid: Tensor  # (T, n_embd) the stream with it
    mlp_norm: Tensor  # (T, n_embd) the second LayerNorm
    neurons: Tensor  # (T, n_inner) the MLP after its activation
    mlp_output: Tensor  # (T, n_embd) what the MLP adds
    output: Tensor  # (T, n_embd) the stream with it
    layers: Tensor  # (n_layer, T, n_embd) the stream after each layer
    final_norm: Tensor  # (T, n_embd)
    logits: Tensor  # (T, vocab_size)


def strips(model: GPT2Explained, input_ids: Tensor, layer: int, head: int, off: str | None = None) -> Strips:
    """Compute all strips of one text, ids of shape (1, T).

    Args:
        model, input_ids: The model and the text.
        layer, head: Which are opened, from 0.
        off: What is switched off in that layer, a name of `switching_off.PARTS`; the strips are the model's without it.

    Raises:
        UserError: When there is no such layer, head or part, or the ids do not fit the model.
    """
    require(input_ids.shape[0] == 1, f"one text at a time; input_ids has shape {tuple(input_ids.shape)}")
    model.require_head(layer, head)
    n_layer, n_head = len(model.h), model.h[0].attn.n_head
    edit = without(off, layer, head, n_head) if off else None
    capture = ["embedding.*", "layer.*.output", f"layer.{layer}.*", "final_norm"]
    logits, seen = model(input_ids, capture=capture, edit=edit)

    def at(name: str) -> Tensor:
        return seen[f"layer.{layer}.{name}"][0]

    layers = [seen[f"layer.{i}.output"][0] for i in range(n_layer)]  # each (T, n_embd)
    embedding = seen["embedding.output"][0]  # (T, n_embd)
    q, k, mixed = at("attention.q")[head], at("attention.k")[head], at("attention.head_output")  # mixed: of all heads
    return Strips(
        token=seen["embedding.token"][0],
        position=seen["embedding.position"],
        embedding=embedding,
        before=layers[layer - 1] if layer else embedding,
        attention_norm=at("attention.norm"),
        q=q,
        k=k,
        v=at("attention.v")[head],
        product=q @ k.T,
        scale=at("attention.scores")[head],
        mask=at("attention.masked_scores")[head],
        softmax=at("attention.weights")[head],
        mixed=mixed[head],
        every_head=at("attention.weights"),
        side_by_side=mixed.transpose(0, 1).flatten(1),  # (n_head, T, head_size) -> (T, n_embd)
        projection=at("attention.output"),
        mid=at("residual.mid"),
        mlp_norm=at("mlp.norm"),
        neurons=at("mlp.activation"),
        mlp_output=at("mlp.output"),
        output=layers[layer],
        layers=torch.stack(layers),
        final_norm=seen["final_norm"][0],
        logits=logits[0],
    )
