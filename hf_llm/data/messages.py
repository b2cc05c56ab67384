"""Short labelled texts: duplicates are removed before the split, so that no message of the test was trained on.

>>> messages = labelled(["ham\\tsee you at 5", "spam\\tWIN 100 now", "ham\\tsee you at 5", "spam\\twin 200 NOW!"])
>>> len(messages), messages.classes, messages.labels.tolist()
(3, ('ham', 'spam'), [0, 1, 1])
>>> [len(one) for one in draw_messages(messages, 2, seed=0).of_each_class()]
[1, 1]
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hf_llm.config import quoted, require
from hf_llm.data.hub_messages import read_hub_messages
from hf_llm.data.reading import Reading
from hf_llm.data.search import MissingData
from hf_llm.data.text import read_text

SMS_SPAM = "sms-spam"  # in English: 5,574 lines, 5,160 distinct texts (5,171 with the spaces around them)
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)  # arrays have no single truth that == could return
class LabelledTexts:
    """Texts and the class of each."""

    texts: tuple[str, ...]
    labels: np.ndarray  # int64 (N,), a place in `classes`
    classes: tuple[str, ...]  # names, in alphabetical order

    def __len__(self) -> int:
        return len(self.texts)

    def select(self, indices: np.ndarray) -> "LabelledTexts":
        """Return the texts at `indices` (n,), in that order."""
        return LabelledTexts(tuple(self.texts[place] for place in indices), self.labels[indices], self.classes)

    def of_each_class(self) -> list[np.ndarray]:
        """Return the places of the texts of each class, in their order."""
        return [np.flatnonzero(self.labels == label) for label in range(len(self.classes))]


@dataclass(frozen=True, eq=False)
class MessageData:
    """What a source holds. `sha256` is that of the distinct lines `label<TAB>text`, joined by line feeds."""

    name: str
    sha256: str
    messages: LabelledTexts  # distinct
    duplicates: int  # lines that were left out
    reading: Reading  # the account of all that was read


def read_messages(source: str = SMS_SPAM) -> MessageData:
    """Read labelled messages and leave out every text that came before.

    Args:
        source: `sms-spam` (SMS Spam Collection, in English; from the Hub where no file is at hand), or a UTF-8 file
            with one message a line, `label<TAB>text`, without a header.

    Raises:
        UserError: When the file is missing, is no such text, or has fewer than two classes.
    """
    try:
        text = read_text(source)
        lines, reading = text.text.split("\n"), text.reading
    except MissingData as missing:  # a named source that is no file here
        require(source == SMS_SPAM, f"{source} has no labelled messages; take {SMS_SPAM} or a file label<TAB>text")
        lines = read_hub_messages(missing)
        reading = Reading(files=None, bytes=sum(len(line.encode("utf-8")) + 1 for line in lines))
    filled = [line for line in lines if line.strip()]
    messages = labelled(filled, source)
    distinct = "\n".join(f"{messages.classes[label]}\t{text}" for text, label in zip(messages.texts, messages.labels))
    sha256 = hashlib.sha256(distinct.encode("utf-8")).hexdigest()
    duplicates = len(filled) - len(messages)
    reading.unit, reading.documents = "message", len(messages)
    reading.leave_out("duplicate", count=duplicates)
    return MessageData(source, sha256, messages, duplicates, reading)


def labelled(lines: Iterable[str], source: str = "the text") -> LabelledTexts:
    """Return the distinct texts of lines `label<TAB>text`, without the spaces around them.

    A text that has two labels keeps its first one.

    Raises:
        UserError: When a line is not of this form, or there are fewer than two classes.
    """
    label_of: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        label, _, text = (part.strip() for part in line.partition("\t"))
        require(label and text, f"line {number} of {source} is not label<TAB>text; give each message a label")
        label_of.setdefault(text, label)
    classes = tuple(sorted(set(label_of.values())))
    require(
        len(classes) >= 2,
        f"{source} has the class {quoted(', '.join(classes)) or 'none'} alone; two or more are needed",
    )
    labels = np.array([classes.index(label) for label in label_of.values()], dtype=np.int64)
    return LabelledTexts(tuple(label_of), labels, classes)


def split_messages(
    messages: LabelledTexts, seed: int, validation: float = 0.1, test: float = 0.2
) -> dict[str, LabelledTexts]:
    """Return `train`, `validation` and `test` of about these fractions, each with every class; 0 leaves a part out.

    A message goes where the hash of its letters sends it: texts that differ only in digits, capitals or punctuation,
    as mass mailings do, go to the same part, and a message that is added moves no other one.

    Raises:
        UserError: When a part would lack a class.
    """
    drawn = np.array([_fraction(seed, text) for text in messages.texts])
    bounds = {"test": (0, test), "validation": (test, test + validation), "train": (test + validation, 1)}
    parts = {}
    for part in PARTS:
        low, high = bounds[part]
        parts[part] = messages.select(np.flatnonzero((drawn >= low) & (drawn < high)))
        for name, places in zip(messages.classes, parts[part].of_each_class()):
            require(
                len(places) > 0 or low == high,
                f"no {quoted(repr(name))} is left for the part {part}; take more messages",
            )
    return parts


def draw_messages(messages: LabelledTexts, count: int, seed: int) -> LabelledTexts:
    """Return `count` messages drawn without replacement, as somebody labels them: at least one of each class.

    With the same seed a smaller draw is a part of a larger one, so that between the two only the number differs.

    Raises:
        UserError: When `count` is below the number of classes or above that of the messages.
    """
    least, most = len(messages.classes), len(messages)
    require(least <= count <= most, f"cannot draw {count} of {most} messages; take {least} to {most}")
    order = np.random.default_rng(seed).permutation(most)
    first = [int(np.argmax(messages.labels[order] == label)) for label in range(least)]  # places in `order`
    return messages.select(np.concatenate([order[first], np.delete(order, first)])[:count])


def _fraction(seed: int, text: str) -> float:
    """Return a number from 0 to below 1 that depends on the seed and on the text's letters alone."""
    letters = re.sub(r"[\W\d_]+", " ", text.casefold()).strip() or text  # "645" has none
    digest = hashlib.sha256(f"{seed}\n{letters}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
