"""Bytes become a text, or a sentence that names what they are: the same through every reader."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.data.content import START, TextFile, first_bytes, refuse_mark
from hf_llm.data.reading import Reading
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.documents import read_documents

TEXT = "Coração de manhã, e a cidade 漢字 🙂 acorda.\n" * 300  # longer than the first block
COMPRESSORS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def as_text(path: Path) -> str:
    return read_text(str(path)).text


def as_document(path: Path) -> str:
    (document,) = read_documents(PrepareCorpusConfig(files=[str(path)], output_dir="unused"), Reading())
    return document.text


READERS = pytest.mark.parametrize("read", [as_text, as_document])


@pytest.fixture
def write(tmp_path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def refusal(read: Callable, path: Path) -> str:
    with pytest.raises(UserError) as error:
        read(path)
    sentence = str(error.value)
    assert "\n" not in sentence
    assert sentence.startswith(str(path))
    return sentence.removeprefix(f"{path} ")


@READERS
@pytest.mark.parametrize("kind", COMPRESSORS)
class TestCompressed:
    def test_whole(self, write, read, kind):
        assert read(write(f"a.txt.{kind}", COMPRESSORS[kind](TEXT.encode()))) == TEXT

    def test_under_another_name(self, write, read, kind):
        """What a file is, its bytes say: a browser decompresses and keeps the name, others do the opposite."""
        assert read(write("a.txt", COMPRESSORS[kind](TEXT.encode()))) == TEXT
        assert read(write(f"b.txt.{kind}", TEXT.encode())) == TEXT

    def test_cut_off(self, write, read, kind):
        path = write(f"a.txt.{kind}", COMPRESSORS[kind](TEXT.encode())[:-9])
        assert refusal(read, path).endswith("copy or download it again")

    def test_damaged(self, write, read, kind):
        """Also where the damage is seen only at the sum behind the last byte, long after it has spoilt the text."""
        content = bytearray(COMPRESSORS[kind](TEXT.encode()))
        if kind == "zst":  # pyarrow writes no sum
            content[7] |= 0b110  # a type of block that does not exist
        else:
            for place in range(len(content) // 2, len(content) // 2 + 9):
                content[place] ^= 0xFF
        assert refusal(read, write(f"a.txt.{kind}", bytes(content))).endswith("copy or download it again")

    def test_no_text_within(self, write, read, kind):
        path = write(f"a.txt.{kind}", COMPRESSORS[kind](gzip.compress(TEXT.encode())))
        assert refusal(read, path).startswith("is a binary file (gzip), not a text")


@READERS
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
    ],
)
def test_an_encoding_that_a_mark_makes_sure(write, read, mark, encoding):
    assert read(write("a.txt", mark + TEXT.encode(encoding))) == TEXT


def test_another_encoding_than_utf8_is_said(write):
    text = read_text(str(write("a.txt", TEXT.encode("utf-16"))))
    assert text.encoding == "utf-16"
    assert "1 file in UTF-16" in str(text.reading)
    assert text.sha256 == read_text(str(write("b.txt", TEXT.encode()))).sha256  # the text is the same


@READERS
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (POINTER, "is a pointer of Git LFS, not the file itself; fetch it with: git lfs pull"),
        (TEXT.encode("utf-16-le"), "seems to be UTF-16 without its byte-order mark"),
        ("It was a small town.\n".encode("utf-16-be"), "seems to be UTF-16 without its byte-order mark"),
        (TEXT.encode("utf-16")[:-1], f"begins as UTF-16 does, but is not (byte {2 * len(TEXT) + 600})"),
        (TEXT.encode("utf-16") + b"\0\xd8A\0", "begins as UTF-16 does, but is not"),
        ("Coração".encode("latin-1"), "is not UTF-8 (byte 4); if it is Latin-1"),
        (TEXT.encode() + "Coração".encode("latin-1"), f"is not UTF-8 (byte {len(TEXT.encode()) + 4})"),
        (b"%PDF-1.7\n1 0 obj\n", "is a binary file (PDF), not a text"),
        (b"PK\x03\x04\x14\0\x06\0", "is a binary file (ZIP, .docx, .epub), not a text"),
        (b"{\\rtf1\\ansi Era uma vez}", "is a binary file (RTF), not a text"),
        (b"PAR1\x15\x04", "is a binary file (parquet), not a text"),
        (b"\x7fELF\x02\x01\x01\0" + bytes(range(256)), "is a binary file, not a text"),
        (TEXT.encode() + b"\0", "is a binary file, not a text"),
        ("a\0b".encode("utf-16"), "is a binary file, not a text"),
    ],
    ids=range(14),
)
def test_what_is_no_text_is_named(write, read, content, sentence):
    assert refusal(read, write("a.txt", content)).startswith(sentence)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet", "a.jsonl.gz"])
def test_rows_are_not_read_as_one_text(write, name):
    path = write(name, b'{"text": "Era uma vez"}\n')
    assert refusal(as_text, path).startswith("holds JSON lines or parquet, in which the text is one field")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 23])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_blocks_of_any_size_are_the_same_text(write, size, encoding):
    path = write("a.txt", TEXT.encode(encoding))
    assert len(TEXT.encode()) > START
    assert "".join(TextFile(path).blocks(size)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_where_other_programs_read(write, encoding):
    path = write("config.json", "{}".encode(encoding))
    with pytest.raises(UserError, match=r"config.json begins with the byte-order mark of UTF-\d+, .* without it"):
        refuse_mark(first_bytes(path), path)


def test_a_command_to_paste_survives_pasting(write):
    path = write("o meu (livro).txt", "Coração".encode("latin-1"))
    assert refusal(as_text, path).endswith(f"iconv -f latin1 -t utf-8 '{path}' > utf8.txt")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that opens and cannot be read")
def test_a_file_that_opens_and_cannot_be_read():
    assert refusal(as_text, Path("/proc/self/mem")).startswith("cannot be read")
