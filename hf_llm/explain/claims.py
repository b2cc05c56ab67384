"""What is said of a model on a text, as numbers of the model at hand: does it look there, recite, copy?

Whoever words such a sentence asks here first, and says what is true of this model.
"""

from typing import NamedTuple

import torch

from hf_llm.explain.reading import Reading
from hf_llm.tokenization.tokenizer import encode_prompt

CLEARLY = 3.0  # times the weight that a word would get if all were alike: then a head looks at it
BY_HEART = 0.8  # of the tokens of a text: whoever predicts that many of them knows it by heart


class Look(NamedTuple):
    """The head that gives one word most weight from another one."""

    layer: int
    head: int
    weight: float  # of 1; on all tokens of the word, from the last token of the other
    even: float  # the same if every token before had as much weight

    @property
    def clear(self) -> bool:
        return self.weight >= CLEARLY * self.even


class Recital(NamedTuple):
    """How many tokens of a text, but the first, the model finds likeliest itself."""

    right: int
    of: int

    @property
    def by_heart(self) -> bool:
        return self.right >= BY_HEART * self.of


class Copy(NamedTuple):
    """What the model thinks of a certain next token."""

    probability: float
    rank: int  # 1 for the likeliest token

    @property
    def made(self) -> bool:
        return self.rank == 1


def look(reading: Reading, text: str, looks: str, at: str) -> Look | None:
    """Return how a word of the text looks at an earlier one; None where one of them is not in what was read."""
    rows, columns = positions(reading, text, looks), positions(reading, text, at)
    if not rows or not columns or columns[-1] > rows[-1]:
        return None
    _, seen = reading.model(reading.ids, capture=["layer.*.attention.weights"])
    layers = [seen[f"layer.{i}.attention.weights"] for i in range(reading.n_layer)]
    weights = torch.cat(layers)  # (n_layer, n_head, T, T)
    on_word = weights[:, :, rows[-1], columns].sum(-1)  # (n_layer, n_head)
    layer, head = divmod(int(on_word.argmax()), reading.n_head)
    return Look(layer, head, on_word[layer, head].item(), len(columns) / (rows[-1] + 1))


def recital(reading: Reading) -> Recital:
    """Return how much of the text the model would have written itself."""
    right = reading.logits[:-1].argmax(-1) == reading.ids[0, 1:]  # (T - 1,)
    return Recital(int(right.sum()), len(right))


def copy(reading: Reading, text: str, following: str) -> Copy:
    """Return how likely the model finds what follows the text, by its first token."""
    token = encode_prompt(reading.tokenizer, text + following)[reading.T]
    probabilities = reading.logits[-1].softmax(-1)
    rank = 1 + int((probabilities > probabilities[token]).sum())
    return Copy(probabilities[token].item(), rank)


def positions(reading: Reading, text: str, word: str) -> list[int]:
    """Return the positions of the tokens that hold a word, where it stands last in the text."""
    begin = text.rfind(word)
    if begin < 0:
        return []
    end = begin + len(word)
    offsets = reading.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    before = reading.T + reading.left_out - len(offsets)  # the token that begins a document
    found = [before + i for i, (start, stop) in enumerate(offsets) if start < end and stop > begin]
    return [position for position in found if position < reading.T]
