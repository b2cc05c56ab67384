"""Encoding long texts in bounded memory: cut them only where the tokenizer cuts anyway.

tokenizers keeps some 100 bytes of records for each token of a text until the whole text is encoded. A text cut into
pieces needs that for a few pieces at a time, and several cores can share the work; the ids are those of the whole.
Nor need the text itself be in memory: it may come block by block.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tokenizers import Tokenizer, pre_tokenizers

PIECE = 1 << 10  # characters: tokenizers takes a third longer for pieces of 1 << 16
BATCH = 1 << 20  # characters encoded at once
LONGEST_WORD = 1 << 10  # characters that training takes in one piece: no word of a language is nearly so long
_CUT = re.compile(r"(?<=\S)[ \n]")
_LONG_RUN = re.compile(rf"\S{{{LONGEST_WORD}}}|\s{{{LONGEST_WORD}}}")  # where a word may be too long
Item = TypeVar("Item")


def splits_like_gpt2(backend: Tokenizer) -> bool:
    """Say whether a tokenizer cuts a text into words by GPT-2's regular expression and changes nothing before.

    A word that was added to its vocabulary must not reach over such a cut, nor swallow the white space beside it.
    """
    splitter = backend.pre_tokenizer
    return (
        isinstance(splitter, pre_tokenizers.ByteLevel)
        and splitter.use_regex
        and not splitter.add_prefix_space
        and backend.normalizer is None
        and not any(
            token.lstrip or token.rstrip or re.search(r"\S\s", token.content)
            for token in backend.get_added_tokens_decoder().values()
        )
    )


def pieces(blocks: Iterable[str], size: int = PIECE) -> Iterator[str]:
    """Cut a text into pieces of about `size` characters, for tokenizers that split like GPT-2's; at least one.

    Such a tokenizer always ends a token before a space or line end that follows a visible character: no pattern of
    the regular expression spans the two, and its look-ahead concerns white space alone.

    Args:
        blocks: The text, in parts of any length: where it is cut does not depend on them.
        size: Characters of a piece, which then goes on to the next such place.
    """
    rest = ""
    for block in blocks:
        searched = len(rest)  # in vain, or there would have been a cut
        rest, start = rest + block, 0
        while match := _CUT.search(rest, max(start + size, searched)):
            yield rest[start : match.start()]
            start = match.start()
        rest = rest[start:]
    yield rest


def cut_long_words(text: str) -> list[str]:
    """Cut `text` inside words of more than `LONGEST_WORD` characters, and nowhere else.

    A step of BPE training costs the square of a word's length: DNA, a picture in base64 or a page of spaces is one
    word. Of every 1,024 pairs of neighbours in it the cuts hide one.
    """
    if not _LONG_RUN.search(text):  # a twentieth of the time that training takes
        return [text]
    cuts = [0]
    for _, (start, end) in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text):
        cuts += range(start + LONGEST_WORD, end, LONGEST_WORD)
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
