"""What a GPT-2 computes for one text, as JSON-ready dicts. All numbers come from `gpt2_explained`."""

from torch import Tensor

from hf_llm.config import require
from hf_llm.explain.attention_cell import attention_cell
from hf_llm.explain.logit_lens import logit_lens
from hf_llm.explain.reading import LIKELY, Reading
from hf_llm.texts import both

NEURONS = 12  # the strongest of an MLP


def inspect(reading: Reading, layer: int, head: int, token: int = -1, key: int = -1) -> dict:
    """Return what the model computes for one token, and the attention of one head for all of them.

    Args:
        reading: The text.
        layer, head: Which, from 0.
        token: Position of the token that is looked into; its row of the map is the `cell`'s.
        key: Position of the token that it looks at, the cell's column; -1 takes the one with the most weight.

    Returns:
        `tokens`; `embedding` {token, position, sum}: (n_embd,) each; `attention` {products, scores, masked_scores,
        weights}: (T, T) each, None where masked; `cell`; `heads`: where each head of the layer looks; `norms`: of the
        stream, point by point, (T,) each; `mlp`: the strongest neurons; `next`: the likeliest tokens after `token`.

    Raises:
        UserError: When there is no such layer, head or token.
    """
    reading.model.require_head(layer, head)
    token = reading.position(token)
    _, seen = reading.model(
        reading.ids,
        capture=["embedding.*", "layer.*.residual.mid", "layer.*.output", "layer.*.attention.output",
                 "layer.*.mlp.output", f"layer.{layer}.*"],
    )  # fmt: skip
    weights = seen[f"layer.{layer}.attention.weights"][0]  # (n_head, T, T)
    key = int(weights[head, token].argmax()) if key == -1 else reading.position(key)
    return {
        **reading.as_dict(),
        "layer": layer, "head": head, "token": token, "key": key,
        "embedding": {
            "token": seen["embedding.token"][0, token].tolist(),
            "position": seen["embedding.position"][token].tolist(),
            "sum": seen["embedding.output"][0, token].tolist(),
        },
        "attention": _attention(seen, layer, head),
        "cell": attention_cell(reading.model, reading.ids, layer, head, token, key),
        "heads": [_habits(head, one) for head, one in enumerate(weights)],
        "norms": _norms(seen, reading.n_layer),
        "mlp": _mlp(seen, layer, token),
        "next": reading.likely(reading.logits[token].softmax(-1)),
    }  # fmt: skip


def lens(reading: Reading, top: int = 5) -> dict:
    """Return what the model would answer after each layer.

    Returns:
        `tokens`, and `layers`: a dict each, first for the embeddings (layer None), with `likely`: for each token the
        `top` likeliest next ones; and `final`: for each token the probability of what the last layer finds likeliest.
    """
    require(1 <= top <= LIKELY, both("explain.top", most=LIKELY, top=top))
    read_off = [(name, logits[0].softmax(-1)) for name, logits in logit_lens(reading.model, reading.ids)]  # (T, vocab)
    answer = read_off[-1][1].argmax(-1, keepdim=True)  # (T, 1)
    layers = [
        {
            "layer": None if depth == 0 else depth - 1,
            "name": name,
            "likely": [reading.likely(one, top) for one in probabilities],
            "final": probabilities.gather(-1, answer)[:, 0].tolist(),
        }
        for depth, (name, probabilities) in enumerate(read_off)
    ]
    return {**reading.as_dict(), "layers": layers}


def _attention(seen: dict[str, Tensor], layer: int, head: int) -> dict:
    names = ("q", "k", "scores", "masked_scores", "weights")
    q, k, scores, masked, weights = (seen[f"layer.{layer}.attention.{name}"][0, head] for name in names)
    maps = {"products": (q @ k.T).tolist(), "scores": scores.tolist()}
    return maps | {"masked_scores": _without_future(masked), "weights": _without_future(weights)}


def _without_future(rows: Tensor) -> list[list[float | None]]:
    return [row[: i + 1] + [None] * (len(row) - i - 1) for i, row in enumerate(rows.tolist())]


def _habits(head: int, weights: Tensor) -> dict:
    """Return what fraction of its attention a head gives on average to the first token, the previous, and itself."""
    previous = weights.diagonal(-1).mean().item() if len(weights) > 1 else 0.0
    itself = weights.diagonal().mean().item()
    return {"head": head, "first": weights[:, 0].mean().item(), "previous": previous, "itself": itself}


def _norms(seen: dict[str, Tensor], n_layer: int) -> list[dict]:
    """Return the length of every token's vector at each point of the stream, and of what was added to it there."""

    def lengths(tensor: Tensor) -> list[float]:
        return tensor[0].norm(dim=-1).tolist()  # (1, T, n_embd) -> (T,)

    rows = [{"layer": None, "after": "embedding", "added": None, "stream": lengths(seen["embedding.output"])}]
    for i in range(n_layer):
        for after, stream in (("attention", "residual.mid"), ("mlp", "output")):
            added, stream = lengths(seen[f"layer.{i}.{after}.output"]), lengths(seen[f"layer.{i}.{stream}"])
            rows.append({"layer": i, "after": after, "added": added, "stream": stream})
    return rows


def _mlp(seen: dict[str, Tensor], layer: int, token: int) -> dict:
    hidden = seen[f"layer.{layer}.mlp.hidden"][0, token]  # (n_inner,)
    activation = seen[f"layer.{layer}.mlp.activation"][0, token]
    strongest = activation.abs().topk(min(NEURONS, len(activation))).indices.tolist()
    return {
        "neurons": len(hidden),
        "positive": (hidden > 0).float().mean().item(),
        "strongest": [{"neuron": i, "hidden": hidden[i].item(), "activation": activation[i].item()} for i in strongest],
    }
