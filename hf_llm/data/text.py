"""A text corpus: read strictly, hashed, split by characters; whole, or block by block where it may be long."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import require, typed
from hf_llm.data.content import TextFile
from hf_llm.data.files import kind_of
from hf_llm.data.reading import Reading
from hf_llm.data.search import find
from hf_llm.texts import both

ROWS = (".jsonl", ".json", ".ndjson", ".parquet")  # files in which the text is a field of each row
LONGEST = 1 << 30  # characters of a text that is held in memory
BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True)
class StreamedText:
    """A text that stays in its file: gone through once, to know what is in it, and read again as often as needed."""

    name: str
    path: Path
    characters: int  # of the text, in which "\r\n" is "\n"
    bytes: int  # of the same, in UTF-8
    sha256: str  # of the text in UTF-8 with its own line ends, without a byte order mark
    windows_line_ends: bool  # whether they were "\r\n"
    encoding: str  # of the file
    modified: int  # when the file was last written, ns

    @property
    def reading(self) -> Reading:
        """The account of having read it."""
        reading = Reading(documents=1, bytes=self.bytes)
        reading.add_file(self.encoding)
        return reading

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[str]:
        """Yield the characters from `start` to `end`, a megabyte of them at once.

        Raises:
            UserError: When the file is no longer the one that was gone through.
        """
        end, place = self.characters if end is None else end, 0
        for block in TextFile(self.path).text(BLOCK):
            if part := block[max(0, start - place) : max(0, end - place)]:
                yield part
            place += len(block)
        same = place == self.characters and self.path.stat().st_mtime_ns == self.modified
        require(same, both("data.changed", path=self.path))


@dataclass(frozen=True)
class Text:
    """A text and where it came from."""

    name: str
    text: str
    sha256: str  # as in `StreamedText`
    windows_line_ends: bool = False  # whether they were "\r\n", which `text` has as "\n"
    encoding: str = "utf-8"  # of the file

    @property
    def bytes(self) -> int:
        """Length of `text` in UTF-8 bytes."""
        return len(self.text.encode("utf-8"))

    @property
    def reading(self) -> Reading:
        """The account of having read it."""
        reading = Reading(documents=1, bytes=self.bytes)
        reading.add_file(self.encoding)
        return reading


def stream_text(source: str, most: int | None = None, keep: list[str] | None = None) -> StreamedText:
    """Go through a named source or a text file, compressed or not: UTF-8, or UTF-16 behind its byte-order mark.

    Of what Windows editors write, a byte order mark is dropped and the line end `\\r\\n` is read as `\\n`.

    Args:
        source: Its name.
        most: Characters that it may have.
        keep: What is to get all of it, block by block.

    Raises:
        UserError: When the file is missing, empty, binary, or in another encoding; names what it is.
    """
    path = find(source)[0]
    pasted = typed(Path(source))
    require(not path.is_dir(), both("data.is_folder", path=repr(source), pasted=pasted))
    require(path.is_file(), both("data.no_file", path=path))
    require(kind_of(path) not in ROWS, both("data.rows", path=path, pasted=pasted))
    modified = path.stat().st_mtime_ns
    file, digest, characters, size, blank = TextFile(path), hashlib.sha256(), 0, 0, True
    for block in file.text(BLOCK, see=lambda block: digest.update(block.encode("utf-8"))):
        characters += len(block)
        size += len(block.encode("utf-8"))
        blank = blank and not block.strip()
        if keep is not None:
            keep.append(block)
        require(most is None or characters <= most, both("data.too_long", path=path, most=most or 0, pasted=pasted))
    require(not blank, f"{source} is empty; a corpus needs at least a few hundred characters")
    sha256, windows = digest.hexdigest(), file.windows_line_ends
    return StreamedText(source, path, characters, size, sha256, windows, file.encoding, modified)


def read_text(source: str) -> Text:
    """Read such a text whole; errors as of `stream_text`, and when it is too long for that."""
    blocks = []
    streamed = stream_text(source, LONGEST, blocks)
    return Text(source, "".join(blocks), streamed.sha256, streamed.windows_line_ends, streamed.encoding)


def split_text(text: str, validation_fraction: float = 0.1) -> tuple[str, str]:
    """Split by characters: the last `validation_fraction` is for validation.

    >>> split_text("0123456789", 0.2)
    ('01234567', '89')
    """
    cut = split_place(len(text), validation_fraction)
    return text[:cut], text[cut:]


def split_place(characters: int, validation_fraction: float) -> int:
    """Return how many of a text's characters are for training.

    >>> split_place(10, 0.2)
    8
    """
    return int(characters * (1 - validation_fraction))
