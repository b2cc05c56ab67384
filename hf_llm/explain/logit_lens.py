"""The logit lens: what a GPT-2 would answer if it stopped after each layer.

The head compares a vector of the residual stream with every token's embedding. It does so once, after the last layer;
but every layer writes to the same stream, so that the head can be put on after any of them. Early layers were not
trained to be read this way: their answers are a reading aid, the last one is the model's own.

nostalgebraist 2020, "interpreting GPT: the logit lens".

>>> for name, logits in logit_lens(model, input_ids):
...     print(name, logits[0, -1].argmax())
"""

from collections.abc import Iterator

from torch import Tensor

from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.intermediates import matching


def logit_lens(model: GPT2Explained, input_ids: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the logits read off the stream, first after the embeddings and then after each layer.

    One place at a time, since all of them together take n_layer + 1 times the memory of the logits: the
    intermediate's name (`embedding.output`, `layer.0.output`, …) and, for ids of shape (B, T), logits of shape
    (B, T, vocab_size). The last ones are the model's output. Ids that do not fit the model are a `UserError`.
    """
    names = ["embedding.output", *matching("layer.*.output", len(model.h))]
    _, stream = model(input_ids, capture=names)  # each (B, T, n_embd)
    for name in names:
        yield name, model.ln_f(stream[name]) @ model.wte.weight.T  # (B, T, n_embd) -> (B, T, vocab_size)
