"""From a file's bytes to its text, or to the name of what it is instead: the one place that all reading goes through.

What a file is, its first bytes say, not its name. It may be compressed (gzip, bzip2, xz, Zstandard). A text is UTF-8,
or UTF-16 or UTF-32 behind a byte-order mark, which makes the encoding sure; of any other encoding nothing is, so that
it is refused. Git leaves a few lines of text, a pointer, in the place of a large file that was not fetched.
"""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from hf_llm.config import UserError, quoted, require, typed
from hf_llm.texts import Translated, both

POINTER = b"version https://git-lfs.github.com/spec/"
ENCODINGS = {  # by their byte-order marks; that of UTF-32 begins as that of UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
FORMATS = {  # how files begin that are taken for texts
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP, .docx, .epub",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ".doc, .xls",
    b"{\\rtf": "RTF",
    b"PAR1": "parquet",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"SQLite format 3\0": "SQLite",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
START = 4096  # bytes that tell what a file is
CHUNK = 1 << 23  # bytes read at once


def _open_zstandard(file: BinaryIO) -> BinaryIO:
    import pyarrow  # Python knows the format from 3.14 on

    return pyarrow.input_stream(file, compression="zstd", buffer_size=1 << 16)


OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open, b"\x28\xb5\x2f\xfd": _open_zstandard}
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its bytes, decompressed where they are compressed.

    Raises:
        UserError: When the file cannot be read, is Git's pointer to it, or its compression is damaged; from the body.
    """
    with read_errors(path), open(path, "rb") as file:
        start = file.read(START)
        require(not start.startswith(POINTER), both("data.pointer", path=path))
        file.seek(0)
        opener = next((opener for magic, opener in OPENERS.items() if start.startswith(magic)), nullcontext)
        with opener(file) as plain:
            yield plain


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn what opening, decompressing and reading `path` raise into one sentence.

    Raises:
        UserError: In the place of such an error.
    """
    try:
        yield
    except EOFError:
        raise UserError(both("data.cut_off", path=path)) from None
    except (zlib.error, lzma.LZMAError) as error:
        raise UserError(both("data.damaged_copy", path=path, error=quoted(error))) from None
    except OSError as error:
        if error.errno is None:  # of a library, not of the system
            raise UserError(both("data.damaged_copy", path=path, error=quoted(error))) from None
        raise UserError(both("data.unreadable", path=path, error=error.strerror)) from None


def refuse_pointer(path: Path, called: str | Path = "") -> None:
    """Refuse a file in whose place Git has left a pointer; the message calls it `called`.

    Raises:
        UserError: Says how to fetch the file.
    """
    require(not first_bytes(path).startswith(POINTER), both("data.pointer", path=called or path))


def first_bytes(path: Path) -> bytes:
    """Return as many of a file's first bytes as tell what it is.

    Raises:
        UserError: When it cannot be read.
    """
    with read_errors(path), open(path, "rb") as file:
        return file.read(START)


class TextFile:
    """A text file, read block by block.

    Args:
        path: The file, compressed or not.

    Attributes:
        encoding: "utf-8", "utf-16" or "utf-32", once the first block was read.
        windows_line_ends: Whether `text` has met "\\r\\n".
    """

    def __init__(self, path: Path):
        self.path, self.encoding, self.windows_line_ends = path, "utf-8", False

    def text(self, size: int, see: Callable[[str], object] = lambda block: None) -> Iterator[str]:
        """Yield the text as `blocks` does, but for the line end of Windows, `\\r\\n`, which is read as `\\n`.

        `see` gets each block as it is in the file, before that.
        """
        half = ""  # a "\r" at the end of a block, whose "\n" may begin the next one
        for block in self.blocks(size):
            see(block)
            text = half + block
            half = text[len(text.removesuffix("\r")) :]
            self.windows_line_ends |= "\r\n" in text
            yield text.removesuffix("\r").replace("\r\n", "\n")
        yield half

    def blocks(self, size: int) -> Iterator[str]:
        """Yield the text without its byte-order mark, its lines as they are, some `size` bytes of it at once.

        Raises:
            UserError: When the file cannot be read, or is no text in a known encoding; names what it is.
        """
        with open_plain(self.path) as file:
            try:
                yield from self._decoded(file, size)
            except UserError:
                while not isinstance(file, io.BufferedReader) and file.read(CHUNK):
                    pass  # compressed data end in a sum, which tells a damaged text from one in another encoding
                raise

    def _decoded(self, file: BinaryIO, size: int) -> Iterator[str]:
        block, done = file.read(START), 0
        self._require_text(block)
        self.encoding = next((name for mark, name in ENCODINGS.items() if block.startswith(mark)), "utf-8")
        decoder = codecs.getincrementaldecoder(self.encoding)()
        while True:
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                self._require_no_zero(self.encoding == "utf-8" and b"\0" in block)
                # its bytes begin with what the last block left over
                place = done - (len(error.object) - len(block)) + error.start
                raise UserError(self._not_decoded(place)) from None
            self._require_no_zero("\0" in text)
            yield text if done else text.removeprefix("\ufeff")
            if not block:
                return
            done += len(block)
            block = file.read(size)

    def _require_no_zero(self, has_one: bool) -> None:
        require(not has_one, both("data.binary", path=self.path, kind=""))

    def _require_text(self, start: bytes) -> None:
        kind = next((name for magic, name in FORMATS.items() if start.startswith(magic)), None)
        require(kind is None, both("data.binary", path=self.path, kind=f" ({kind})"))
        zeros = [start[side::2].count(0) for side in (0, 1)]  # in UTF-16 every second byte of western letters is one
        marked = any(start.startswith(mark) for mark in ENCODINGS)
        unmarked = not marked and min(zeros) == 0 and max(zeros) > len(start) / 5
        require(not unmarked, both("data.utf16_without_mark", path=self.path))

    def _not_decoded(self, place: int) -> Translated:
        name = self.encoding.upper()
        if name == "UTF-8":
            return both("data.not_utf8", path=self.path, place=str(place), pasted=typed(self.path))
        return both("data.not_decoded", path=self.path, encoding=name, place=str(place))


def refuse_mark(start: bytes, path: str | Path) -> None:
    """Refuse a file that other programs read too, as UTF-8, by its first bytes: a byte-order mark, or Git's pointer.

    Raises:
        UserError: Names `path` and what it is.
    """
    require(not start.startswith(POINTER), both("data.pointer", path=path))
    encoding = next((name for mark, name in ENCODINGS.items() if start.startswith(mark)), None)
    require(encoding is None, both("data.has_mark", path=path, encoding=(encoding or "").upper()))


def read_utf8(content: bytes, path: str | Path) -> str:
    """Return the text of a file that other programs read too, as UTF-8 without a byte-order mark.

    Raises:
        UserError: When it is not that; names `path` and what it is.
    """
    refuse_mark(content, path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        pasted = typed(Path(path))
        raise UserError(both("data.not_utf8", path=path, place=str(error.start), pasted=pasted)) from None
