"""Pieces: which part of a text a method learns from, chooses by, and is scored on.

Each seed begins the text at another place, as if its end were tied to its beginning, so that every seed holds out
another passage. The last of it is the test; the passage before is for choosing; training reads the n bytes before that.
With more text to learn from, test and validation stay the same.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

from hf_llm.data import Text

HELD_OUT = {"validation": 8 * 1024, "test": 32 * 1024}  # bytes at most,
FRACTION = 1 / 10  # and of a short text this fraction, each
GOLDEN = (5**0.5 - 1) / 2  # steps of this fraction spread any number of seeds evenly over the text


def lengths(text: Text, held_out: dict[str, int] = HELD_OUT) -> dict[str, int]:
    """Return the bytes of each piece of a text, all that there is to train on; whatever the seed."""
    sizes = {part: min(most, int(text.bytes * FRACTION)) for part, most in held_out.items()}
    return {"train": text.bytes - sum(sizes.values()), **sizes}


@dataclass(frozen=True)
class Pieces:
    """A text in three, less the characters that a cut goes through."""

    train: str
    validation: str
    test: str

    @classmethod
    def of(cls, text: Text, seed: int, held_out: dict[str, int] = HELD_OUT) -> "Pieces":
        """Return all that there is to train on, and what `seed` holds out; seed 0 begins at the text's start."""
        begin = text.text.find("\n", int(len(text.text) * (seed * GOLDEN % 1))) + 1 if seed else 0
        data = (text.text[begin:] + text.text[:begin]).encode("utf-8")
        cuts = [0, *accumulate(lengths(text, held_out).values())]
        return cls(*(_whole(data[start:end]) for start, end in pairwise(cuts)))

    def last(self, size: int) -> "Pieces":
        """Return the same with the last `size` bytes to train on."""
        return Pieces(_whole(self.train.encode("utf-8")[-size:]), self.validation, self.test)


def _whole(data: bytes) -> str:
    return data.decode("utf-8", errors="ignore")
