"""A text as a GPT-2 reads it: its tokens, those that fit, and what the model finds likely to follow.

A text begins as a prompt does: behind the token that began every document in training, or as its tokenizer has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.intermediates import matching
from hf_llm.texts import both
from hf_llm.tokenization.readable import token_labels
from hf_llm.tokenization.tokenizer import encode_prompt

LONGEST = 64  # tokens: a map of attention has the square of it
LIKELY = 10  # next tokens that are named


class Remembered:
    """A model that has computed one text, and does not compute it again, whatever is asked of it.

    Args:
        model: The model.
        ids: The text, (1, T).
    """

    def __init__(self, model: GPT2Explained, ids: Tensor):
        self._model, self._ids = model, ids
        self._logits, self._seen = model(ids, capture=["*"])

    def __call__(self, input_ids: Tensor, capture: Iterable[str] = (), edit: dict | None = None):
        """Return what `GPT2Explained.forward` does; another text or an edit is computed."""
        if edit or input_ids is not self._ids:
            return self._model(input_ids, capture, edit)
        names = {name for pattern in capture for name in matching(pattern, len(self._model.h))}
        return self._logits, {name: self._seen[name] for name in names}

    def __getattr__(self, name: str):
        return getattr(self._model, name)


@dataclass(frozen=True)
class Reading:
    """A text as a GPT-2 reads it: at most LONGEST tokens, and no more than its context."""

    model: Remembered
    tokenizer: PreTrainedTokenizerFast
    ids: Tensor  # (1, T)
    logits: Tensor  # (T, vocab_size): the model's output
    left_out: int  # tokens of the text beyond that

    @property
    def T(self) -> int:
        return self.ids.shape[1]

    @property
    def n_layer(self) -> int:
        return len(self.model.h)

    @property
    def n_head(self) -> int:
        return self.model.h[0].attn.n_head

    @cached_property
    def labels(self) -> list[str]:
        """The text of each token, white space visible."""
        return token_labels(self.tokenizer, self.ids[0].tolist())

    def as_dict(self) -> dict:
        tokens = [
            {"position": position, "id": id, "text": label}
            for position, (id, label) in enumerate(zip(self.ids[0].tolist(), self.labels))
        ]
        shape = {"n_layer": self.n_layer, "n_head": self.n_head, "n_positions": self.model.wpe.num_embeddings}
        return {**shape, "tokens": tokens, "left_out": self.left_out}

    def position(self, token: int) -> int:
        """Return a token's position from 0; a negative one counts from the end, -1 is the last token."""
        require(-self.T <= token < self.T, both("explain.no_token", token=token, last=self.T - 1))
        return token % self.T

    def seen(self, name: str) -> Tensor:
        """Return one intermediate of the text, without the dimension of several texts: for pictures."""
        return self.model(self.ids, capture=[name])[1][name][0]

    def likely(self, probabilities: Tensor, count: int = LIKELY) -> list[dict]:
        """Return the likeliest tokens of a distribution over the whole vocabulary, shape (vocab_size,)."""
        found = probabilities.topk(min(count, len(probabilities)))
        ids = found.indices.tolist()
        labels = token_labels(self.tokenizer, ids)
        return [{"id": id, "text": label, "probability": p} for id, label, p in zip(ids, labels, found.values.tolist())]


def read(model: GPT2Explained, tokenizer: PreTrainedTokenizerFast, text: str) -> Reading:
    """Return `text` as the model reads it.

    Raises:
        UserError: When the model's training diverged, or the text is empty or no valid Unicode.
    """
    require(text != "", both("explain.no_text"))
    ids = encode_prompt(tokenizer, text)
    most = min(LONGEST, model.wpe.num_embeddings)
    read_ids = torch.tensor([ids[:most]])
    remembered = Remembered(model, read_ids)
    logits = remembered(read_ids)[0][0]
    require(bool(logits.isfinite().all()), both("explain.diverged"))
    return Reading(remembered, tokenizer, read_ids, logits, max(0, len(ids) - most))
