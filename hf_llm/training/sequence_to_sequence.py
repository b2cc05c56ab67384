"""Span corruption, T5's objective: spans are cut out of a window, and the decoder writes what stood there.

    window    the quick brown fox jumps over the lazy dog
    input     the <extra_0> fox jumps over <extra_1> dog
    target    <extra_0> quick brown <extra_1> the lazy <|endoftext|>

15 % of the tokens in spans of 3 on average (Raffel et al. 2020, section 3.1.4). One sentinel stands for a span of any
length, so it is the decoder that decides how long it was.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedTokenizerFast

from hf_llm.tokenization.tokenizer import document_start
from hf_llm.training.hidden_tokens import HiddenTokens

CUT, SPAN = 0.15, 3  # of a window's tokens; mean tokens of a span


def spans_of(context: int) -> tuple[int, int]:
    """Return how many of a window's tokens are cut out, and in how many spans: the same in every window."""
    tokens = min(max(1, round(CUT * context)), context - 1)
    return tokens, min(max(1, round(tokens / SPAN)), context - tokens)


def with_sentinels(tokenizer: PreTrainedTokenizerFast, count: int) -> PreTrainedTokenizerFast:
    """Return a copy that has `count` tokens more, `<extra_0>`, …; text that holds these never becomes them."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_special_tokens({"extra_special_tokens": [f"<extra_{number}>" for number in range(count)]})
    return tokenizer


class SequenceToSequence(HiddenTokens):
    """An encoder–decoder that fills the gaps of windows of `context` tokens, which start every `stride` tokens.

    Args:
        model: Returns `.logits` (B, target, vocab) from `input_ids` and `decoder_input_ids`, as
            `T5ForConditionalGeneration` does.
        corpus: Training and validation tokens.
        tokenizer: That of the corpus, `with_sentinels`, one a span (`spans_of`) at least.
        The others: As in `HiddenTokens`.
    """

    def hidden(
        self, windows: Sequence[np.ndarray], generators: Sequence[np.random.Generator]
    ) -> dict[str, torch.Tensor]:
        """Return `input_ids` (B, kept + spans), `decoder_input_ids` and `labels` (B, cut + spans + 1)."""
        spans = [draw_spans(self.context, random) for random in generators]
        return gaps([cut(window, span, self.tokenizer) for window, span in zip(windows, spans)], self.tokenizer)

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return batch["labels"].numel()

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the cross-entropy of the targets over n: transformers' own is the mean of the micro-batch."""
        logits = model(input_ids=batch["input_ids"], decoder_input_ids=batch["decoder_input_ids"]).logits
        return F.cross_entropy(logits.flatten(0, 1).float(), batch["labels"].flatten(), reduction="sum") / n


def draw_spans(context: int, random: np.random.Generator) -> list[tuple[int, int]]:
    """Return the spans to cut, (start, end) in order: a kept part, a span, a kept part, … and a span at the end.

    As in T5: kept and cut tokens are each split at random into as many parts as there are spans, none of them empty.
    """
    tokens, spans = spans_of(context)
    kept, gone = (
        np.diff(np.sort(random.choice(total - 1, spans - 1, replace=False)) + 1, prepend=0, append=total)
        for total in (context - tokens, tokens)
    )  # (spans,) lengths
    ends = np.cumsum(kept + gone)
    return [(int(end - length), int(end)) for end, length in zip(ends, gone)]


def cut(
    window: np.ndarray, spans: list[tuple[int, int]], tokenizer: PreTrainedTokenizerFast
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of a window (T,), a sentinel in each gap, and the target: each sentinel with its span."""
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_{number}>" for number in range(len(spans))])
    left, target, place = [], [], 0
    for sentinel, (start, end) in zip(sentinels, spans):
        left += [*window[place:start], sentinel]
        target += [sentinel, *window[start:end]]
        place = end
    return np.array([*left, *window[place:]]), np.array([*target, document_start(tokenizer)])


def gaps(pairs: list[tuple[np.ndarray, np.ndarray]], tokenizer: PreTrainedTokenizerFast) -> dict[str, torch.Tensor]:
    """Return the arguments of `forward` of pairs of `cut`, all of the same lengths: the decoder reads its own past."""
    inputs, labels = (torch.from_numpy(np.stack(part).astype(np.int64)) for part in zip(*pairs))
    start = torch.full((len(labels), 1), document_start(tokenizer))
    return {"input_ids": inputs, "decoder_input_ids": torch.cat([start, labels[:, :-1]], dim=1), "labels": labels}
