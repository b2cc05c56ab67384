"""The names of everything that a GPT-2 computes on the way from token ids to logits, and patterns over them.

`gpt2_explained` captures and edits by these names. In the shapes, B is the number of texts, T of tokens in each, and
head_size is n_embd / n_head; {i} is the number of a layer, from 0.

>>> matching("layer.*.output", n_layer=2)
['layer.0.output', 'layer.1.output']
"""

import re

from hf_llm.config import UserError, nearest

EMBEDDING = {
    "embedding.token": "(B, T, n_embd) what each token is",
    "embedding.position": "(T, n_embd) where it stands",
    "embedding.output": "(B, T, n_embd) their sum: the residual stream begins",
}
LAYER = {
    "layer.{i}.attention.norm": "(B, T, n_embd) the stream, normalised, as attention reads it",
    "layer.{i}.attention.q": "(B, n_head, T, head_size) queries: what each token looks for",
    "layer.{i}.attention.k": "(B, n_head, T, head_size) keys: by what each token is found",
    "layer.{i}.attention.v": "(B, n_head, T, head_size) values: what each token passes on",
    "layer.{i}.attention.scores": "(B, n_head, T, T) how well query (row) and key (column) match",
    "layer.{i}.attention.masked_scores": "(B, n_head, T, T) the same, -inf where the key comes after the query",
    "layer.{i}.attention.weights": "(B, n_head, T, T) shares of attention; each row sums to 1",
    "layer.{i}.attention.head_output": "(B, n_head, T, head_size) weighted mean of the values, head by head",
    "layer.{i}.attention.output": "(B, T, n_embd) what attention adds to the stream",
    "layer.{i}.residual.mid": "(B, T, n_embd) the stream between attention and MLP",
    "layer.{i}.mlp.norm": "(B, T, n_embd) the stream, normalised, as the MLP reads it",
    "layer.{i}.mlp.hidden": "(B, T, n_inner) the MLP's neurons before the activation",
    "layer.{i}.mlp.activation": "(B, T, n_inner) and after it",
    "layer.{i}.mlp.output": "(B, T, n_embd) what the MLP adds to the stream",
    "layer.{i}.output": "(B, T, n_embd) the stream after the layer",
}
HEAD = {
    "final_norm": "(B, T, n_embd) the stream, normalised, as the head reads it",
    "logits": "(B, T, vocab_size) a score for each token that could come next",
}


def matching(pattern: str, n_layer: int) -> list[str]:
    """Return the intermediates that `pattern` stands for in a model of `n_layer` layers, in the order of computation.

    A `*` stands for one part of a name, at the end for all parts that follow: `layer.*.output` is the output of every
    layer and not of its attention, `layer.3.*` all of layer 3, `*` everything.

    Raises:
        UserError: When it stands for nothing; the message holds the nearest name.
    """
    layers = [name.format(i=i) for i in range(n_layer) for name in LAYER]
    known = [*EMBEDDING, *layers, *HEAD]
    expression = re.escape(pattern).replace(r"\*", "[^.]+")
    if pattern.endswith("*"):
        expression = expression.removesuffix("[^.]+") + ".+"
    found = [name for name in known if re.fullmatch(expression, name)]
    if not found:  # the nearest of all names is not sought for nothing: that takes longer than a small model's pass
        raise UserError(f"a GPT-2 of {n_layer} layers has no intermediate {pattern!r}{nearest(pattern, known)}")
    return found
