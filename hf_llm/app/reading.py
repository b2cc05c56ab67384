"""A text as a GPT-2 reads it: its tokens, those that fit, and what the model finds likely to follow.

A text begins with the token that began every document in training, as it does when the model generates.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from hf_llm.app.server.library import LanguageModel
from hf_llm.config import require
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.generation.inference import require_own_tokenizer
from hf_llm.tokenization.labels import token_labels
from hf_llm.tokenization.tokenizer import encode_document

LONGEST = 64  # tokens: a map of attention has the square of it
LIKELY = 10  # next tokens that are named


@dataclass(frozen=True)
class Reading:
    """A text as a GPT-2 reads it: at most LONGEST tokens, and no more than its context."""

    name: str
    model: GPT2Explained
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
        return {"model": self.name, **shape, "tokens": tokens, "left_out": self.left_out}


def read(language_model: LanguageModel, words: str) -> Reading:
    """Return `words` as the model reads them.

    Raises:
        UserError: When the model is not a GPT-2 as published or its training diverged, or the text is empty or no
            valid Unicode.
    """
    require(words != "", "there is no text to read; give at least one character")
    model, tokenizer = GPT2Explained.from_transformers(language_model.model), language_model.tokenizer
    require_own_tokenizer(language_model.model, tokenizer)
    ids = encode_document(tokenizer, words).tolist()
    most = min(LONGEST, model.wpe.num_embeddings)
    read_ids = torch.tensor([ids[:most]])
    logits = model(read_ids)[0][0]
    require(
        bool(logits.isfinite().all()),
        "the model's output is not a finite number, so its training must have diverged; choose another model",
    )
    return Reading(language_model.name, model, tokenizer, read_ids, logits, max(0, len(ids) - most))


def place(reading: Reading, token: int) -> int:
    """Return a token's place from 0; a negative one counts from the end, -1 is the last token."""
    require(-reading.T <= token < reading.T, f"there is no token {token}; they are 0 to {reading.T - 1}")
    return token % reading.T


def likely(reading: Reading, probabilities: Tensor, count: int = LIKELY) -> list[dict]:
    """Return the likeliest tokens of a distribution over the whole vocabulary, shape (vocab_size,)."""
    found = probabilities.topk(min(count, len(probabilities)))
    ids = found.indices.tolist()
    return [
        {"id": id, "text": label, "probability": probability}
        for id, label, probability in zip(ids, token_labels(reading.tokenizer, ids), found.values.tolist())
    ]
