"""Documents of a corpus with the hash that decides their side, and a file that keeps some of them for a second reading.

A stream comes once, but what a tokenizer is trained on is to be encoded too: meanwhile it lies on the disk.
"""

import hashlib
import struct
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from hf_llm.config import UserError, check_unicode
from hf_llm.data.reading import Reading
from hf_llm.tokenization.documents import Document

_HEAD = struct.Struct(">QH?")  # length in bytes, thousandth, Windows line ends


class HashedDocument(NamedTuple):
    """A document that is not empty."""

    content: bytes  # the text in UTF-8
    thousandth: int  # of the hash of the text, from 0 to 999: decides the split
    windows_line_ends: bool  # as in `Document`

    @property
    def text(self) -> str:
        return self.content.decode("utf-8")


def hashed(documents: Generator[Document], max_bytes: int, reading: Reading) -> Iterator[HashedDocument]:
    """Leave out empty documents, end after `max_bytes`, and hash the rest; `reading` counts both.

    Raises:
        UserError: When a document holds a lone surrogate.
    """
    for text, where, windows_line_ends in documents:
        if not text.strip():
            reading.leave_out("empty", where)
            continue
        try:
            content = check_unicode(text).encode("utf-8")
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        thousandth = int.from_bytes(hashlib.sha256(content).digest(), "big") % 1000
        reading.documents += 1
        reading.bytes += len(content)
        yield HashedDocument(content, thousandth, windows_line_ends)
        if max_bytes and reading.bytes >= max_bytes:
            documents.close()
            return


class DocumentFile:
    """Documents in a file without a name, which is gone with the process; read in their order as often as wanted."""

    def __init__(self, folder: Path):
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as this object

    def add(self, document: HashedDocument) -> None:
        """Append a document, before any is read."""
        content, thousandth, windows_line_ends = document
        self.file.write(_HEAD.pack(len(content), thousandth, windows_line_ends))
        self.file.write(content)

    def __iter__(self) -> Iterator[HashedDocument]:
        self.file.seek(0)
        while head := self.file.read(_HEAD.size):
            length, thousandth, windows_line_ends = _HEAD.unpack(head)
            yield HashedDocument(self.file.read(length), thousandth, windows_line_ends)

    def close(self) -> None:
        self.file.close()
