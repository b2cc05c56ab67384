"""Encoding long texts in bounded memory: cut them only where the tokenizer cuts anyway.

tokenizers keeps some 100 bytes of records for each token of a text until the whole text is encoded. A text cut into
pieces needs that for a few pieces at a time, and several cores can share the work; the ids are those of the whole.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tokenizers import Tokenizer, pre_tokenizers

PIECE = 1 << 18  # characters
BATCH = 1 << 22  # characters encoded at once
Item = TypeVar("Item")


def splits_like_gpt2(backend: Tokenizer) -> bool:
    """Say whether a tokenizer cuts a text into words by GPT-2's regular expression and changes nothing before."""
    splitter = backend.pre_tokenizer
    return (
        isinstance(splitter, pre_tokenizers.ByteLevel)
        and splitter.use_regex
        and not splitter.add_prefix_space
        and backend.normalizer is None
    )


def pieces(text: str, size: int = PIECE) -> list[str]:
    """Cut `text` into pieces of about `size` characters, for tokenizers that split like GPT-2's.

    Such a tokenizer always ends a token before a line end that follows a visible character: no pattern of the
    regular expression spans the two, and its look-ahead concerns white space alone.
    """
    cuts = [0]
    while (cut := text.find("\n", cuts[-1] + size)) > 0:
        while cut > 0 and text[cut - 1].isspace():
            cut = text.find("\n", cut + 1)
        if cut < 0:
            break
        cuts.append(cut)
    return [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)])]


def batches(items: Iterable[Item], size: int = BATCH, length: Callable[[Item], int] = len) -> Iterator[list[Item]]:
    """Yield texts, or what has a `length`, in order: in lists of at most `size` together, or of one longer item."""
    batch, total = [], 0
    for item in items:
        if batch and total + length(item) > size:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += length(item)
    if batch:
        yield batch
