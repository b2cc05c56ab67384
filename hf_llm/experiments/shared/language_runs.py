"""What experiments that train language models share: a text in three parts, one short training, bits per byte.

>>> parts = TextParts.read("sample", vocab_size=300)
>>> sorted(parts.ids)
['test', 'train', 'validation']
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from transformers import PreTrainedModel

from hf_llm.data import MissingData, Text, read_text, split_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.corpus import Corpus, corpus_from_text
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import encode_document, train_bpe
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.loop import train

TEST, VALIDATION = 1 / 10, 1 / 9  # of the text; of what is left: a tenth of the text as well
PARTS = ("train", "validation", "test")


def read_or_sample(source: str) -> Text:
    """Return a named text, or the embedded sample where it is not to be had; the result records which it was."""
    try:
        return read_text(source)
    except MissingData:
        return read_text("sample")


@dataclass(frozen=True)
class TextParts:
    """The text as tokens; what is not for the test is a corpus, whose tokenizer saw its training part alone."""

    corpus: Corpus
    ids: dict[str, np.ndarray]  # of each part; each starts with <|endoftext|>

    @classmethod
    def read(cls, source: str, vocab_size: int, first: int | None = None) -> "TextParts":
        """Read the text `source`, of it only the `first` characters, and train a BPE on the training part."""
        text = read_or_sample(source)
        rest, test = split_text(text.text[:first], TEST)
        tokenizer = train_bpe(split_text(rest, VALIDATION)[0], vocab_size)
        corpus = corpus_from_text(replace(text, text=rest), tokenizer, VALIDATION)
        ids = (*corpus.train.shards, *corpus.validation.shards, encode_document(tokenizer, test))
        return cls(corpus, dict(zip(PARTS, ids)))

    def first(self, train_tokens: int | None) -> "TextParts":
        """Return the same with so many training tokens, those at the beginning."""
        ids = self.ids | {"train": self.ids["train"][:train_tokens]}
        return TextParts(replace(self.corpus, train=TokenArray([ids["train"]])), ids)


def language_task(model: PreTrainedModel, parts: TextParts, batch: int, context: int, seed: int) -> CausalLM:
    """Return the task to predict the next token in `batch` windows a step; windows start at every token."""
    return CausalLM(
        model, parts.corpus, context=context, stride=1, total_batch_size=batch, per_device_batch_size=batch, seed=seed
    )


def train_language_model(
    task: CausalLM, steps: int, rate: float, on_record: Callable[[dict], None] | None = None, **settings
) -> list[dict]:
    """Train for `steps` and return the log's records; `settings` as in `short_run`.

    Raises:
        UserError: When the loss is no longer finite.
    """
    batch = task.plan.total_batch_size
    config = short_run(
        steps, rate, task.seed, total_batch_size=batch, per_device_train_batch_size=batch, **settings
    )  # fmt: skip
    return train(task, config, on_record=on_record).records


def bits_per_byte(model: PreTrainedModel, parts: TextParts, part: str, context: int) -> float:
    """Return what a part of the text costs, each token predicted from at least half a context."""
    lengths = token_byte_lengths(parts.corpus.tokenizer)
    return evaluate_tokens(model, parts.ids[part], lengths, stride=max(1, context // 2), context=context).bits_per_byte
