"""A text corpus: read strictly, hashed, split by characters."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import require, typed
from hf_llm.data.content import TextFile
from hf_llm.data.files import kind_of
from hf_llm.data.reading import Reading
from hf_llm.data.search import find
from hf_llm.texts import both

ROWS = (".jsonl", ".json", ".ndjson", ".parquet")  # files in which the text is a field of each row
LONGEST = 1 << 30  # characters of a text, which is held in memory


@dataclass(frozen=True)
class Text:
    """A text and where it came from."""

    name: str
    text: str
    sha256: str  # of the text in UTF-8 with its own line ends, without a byte order mark
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


def read_text(source: str) -> Text:
    """Read a named source or a text file, compressed or not: UTF-8, or UTF-16 behind its byte-order mark.

    Of what Windows editors write, a byte order mark is dropped and the line end `\\r\\n` is read as `\\n`.

    Raises:
        UserError: When the file is missing, empty, binary, or in another encoding; names what it is.
    """
    path = find(source)[0]
    pasted = typed(Path(source))
    require(not path.is_dir(), both("data.is_folder", path=repr(source), pasted=pasted))
    require(path.is_file(), both("data.no_file", path=path))
    require(kind_of(path) not in ROWS, both("data.rows", path=path, pasted=pasted))
    file, blocks, length = TextFile(path), [], 0
    for block in file.blocks():
        blocks.append(block)
        length += len(block)
        require(length <= LONGEST, both("data.too_long", path=path, most=LONGEST, pasted=pasted))
    text = "".join(blocks)
    require(text.strip() != "", f"{source} is empty; a corpus needs at least a few hundred characters")
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return Text(source, text.replace("\r\n", "\n"), sha256, "\r\n" in text, file.encoding)


def split_text(text: str, validation_fraction: float = 0.1) -> tuple[str, str]:
    """Split by characters: the last `validation_fraction` is for validation.

    >>> split_text("0123456789", 0.2)
    ('01234567', '89')
    """
    cut = int(len(text) * (1 - validation_fraction))
    return text[:cut], text[cut:]
