"""A text corpus: read strictly, hashed, split by characters."""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import UserError, require, typed
from hf_llm.data.search import find
from hf_llm.texts import both


@dataclass(frozen=True)
class Text:
    """A text and where it came from."""

    name: str
    text: str
    sha256: str  # of the UTF-8 bytes as they were found, without a byte order mark
    windows_line_ends: bool = False  # whether they had "\r\n", which `text` has as "\n"

    @property
    def bytes(self) -> int:
        """Length of `text` in UTF-8 bytes."""
        return len(self.text.encode("utf-8"))


def read_text(source: str) -> Text:
    """Read a named source or a text file as UTF-8.

    Of what Windows editors write, a byte order mark is dropped and the line end `\\r\\n` is read as `\\n`.

    Raises:
        UserError: When the file is missing, empty, binary, or not UTF-8.
    """
    path = find(source)[0]
    require(path.is_file(), f"{source!r} is not a file; name a UTF-8 text file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(both("data.unreadable", path=source, error=error.strerror)) from None
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    require(not utf16, f"{source} is UTF-16, as some Windows programs write; save it as UTF-8")
    require(b"\0" not in content[:65536], f"{source} is a binary file, not a text; name a UTF-8 text file")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{source} is not UTF-8 (byte {error.start}); if it is Latin-1, convert it with: "
            f"{typed('iconv', '-f', 'latin1', '-t', 'utf-8', Path(source))} > utf8.txt"
        ) from None
    require(text.strip() != "", f"{source} is empty; a corpus needs at least a few hundred characters")
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return Text(source, text.replace("\r\n", "\n"), sha256, windows_line_ends="\r\n" in text)


def split_text(text: str, validation_fraction: float = 0.1) -> tuple[str, str]:
    """Split by characters: the last `validation_fraction` is for validation.

    >>> split_text("0123456789", 0.2)
    ('01234567', '89')
    """
    cut = int(len(text) * (1 - validation_fraction))
    return text[:cut], text[cut:]
