"""Does a tokenizer give the text back? What it loses, the model never reads, and nobody pays bits for it.

One question, asked wherever a tokenizer meets a text: is decode(encode(text)) the text? A byte-level BPE with its 256
bytes gives back any; a WordPiece that lower-cases, an accent stripper, NFKC or an alphabet with holes do not.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import PreTrainedTokenizerFast

from hf_llm.texts import Translated, both
from hf_llm.tokenization.readable import readable

logger = logging.getLogger(__name__)

SHOWN = 10  # characters that are named


@dataclass(frozen=True)
class Changes:
    """What comes back of a text otherwise than it was."""

    characters: int = 0  # of the text
    lost: Counter[str] = field(default_factory=Counter)  # those that do not come back, and how many of each
    added: Counter[str] = field(default_factory=Counter)  # those that were not there

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.characters + other.characters, self.lost + other.lost, self.added + other.added)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.lost or self.added)

    def sentence(self) -> Translated:
        """Say so, in both languages."""
        names = {
            "lost": self.lost.total(), "characters": self.characters, "added": self.added.total(),
            "lost_ones": _named(self.lost), "added_ones": _named(self.added),
        }  # fmt: skip
        kind = "loses_and_adds" if self.lost and self.added else "loses" if self.lost else "adds"
        return both(f"tokenization.{kind}", **names)


def changes(tokenizer: PreTrainedTokenizerFast, text: str, ids: Sequence[int]) -> Changes:
    """Return what differs between a text and what its ids are decoded to; it takes a twentieth of the encoding's time.

    Args:
        tokenizer: What made the ids.
        text: The text.
        ids: Its ids, without a start token.
    """
    back = tokenizer.decode(
        np.asarray(ids, np.int64).tolist(), skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    if back == text:
        return Changes(len(text))
    before, after = Counter(text), Counter(back)
    if before == after:  # the same characters in another order: a space changed its place
        moved = Counter(new for old, new in zip(text, back) if old != new)
        return Changes(len(text), moved, moved)
    return Changes(len(text), before - after, after - before)


def say_changes(name: str, found: Changes) -> None:
    """Warn of what the tokenizer changes in the text called `name`, if anything."""
    if found:
        logger.warning("%s: %s", name, found.sentence())


def _named(characters: Counter[str]) -> str:
    """Return the most frequent characters, white space visible.

    >>> _named(Counter("ç ç ã"))
    '␣ ç ã'
    """
    most = [readable(character.encode("utf-8")) for character, _ in characters.most_common(SHOWN)]
    return " ".join(most) + (" …" if len(characters) > SHOWN else "")
