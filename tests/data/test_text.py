"""Reading a text strictly, and splitting it."""

import doctest
import hashlib

import pytest

from hf_llm.config import UserError
from hf_llm.data import find, read_text, split_text, text
from hf_llm.data.sources import SOURCES
from hf_llm.data.text import stream_text


@pytest.fixture
def corpus(tmp_path):
    """Return a function: bytes in, the path of a file that holds them out."""

    def write(content: bytes) -> str:
        path = tmp_path / "corpus.txt"
        path.write_bytes(content)
        return str(path)

    return write


def refusal(source: str) -> str:
    with pytest.raises(UserError) as error:
        read_text(source)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_text_name_and_hash(corpus):
    path = corpus("ação 漢 🙂\n".encode())
    read = read_text(path)
    assert (read.text, read.name, read.bytes) == ("ação 漢 🙂\n", path, 16)
    assert read.sha256 == hashlib.sha256("ação 漢 🙂\n".encode()).hexdigest()


def test_a_byte_order_mark_is_no_text(corpus):
    with_mark = read_text(corpus(b"\xef\xbb\xbfa text"))
    without = read_text(corpus(b"a text"))
    assert with_mark == without
    assert without.text == "a text"


def test_windows_line_ends_are_read_as_newlines_and_the_hash_is_that_of_the_file(corpus):
    content = b"one\r\ntwo\rthree\n"
    read = read_text(corpus(content))
    assert (read.text, read.bytes, read.windows_line_ends) == ("one\ntwo\rthree\n", 14, True)
    assert read.sha256 == hashlib.sha256(content).hexdigest()


def test_other_line_ends_stay(corpus):
    read = read_text(corpus(b"one\ntwo\rthree\n"))
    assert (read.text, read.windows_line_ends) == ("one\ntwo\rthree\n", False)


def test_dom_casmurro(dom_casmurro):
    read, (file,) = dom_casmurro, SOURCES["dom-casmurro"]
    assert (read.bytes, read.windows_line_ends, "\r" in read.text) == (383_496, True, False)
    assert read.sha256 == file.sha256
    assert read.text.startswith("I\n\nDo titulo.\n\nUma noite destas, vindo da cidade para o Engenho Novo")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        ("um café".encode("latin-1"), "is not UTF-8 (byte 6)"),
        ("um café".encode("utf-16-le"), "seems to be UTF-16 without its byte-order mark"),
        ("um café".encode()[:-1], "is not UTF-8 (byte 6)"),  # cut off within a character
        ("lone \udce9".encode("utf-8", "surrogatepass"), "is not UTF-8 (byte 5)"),
    ],
    ids=["empty", "blank", "mark", "binary", "latin-1", "utf-16", "cut off", "surrogate"],
)
def test_what_is_no_text(corpus, content, sentence):
    path = corpus(content)
    assert refusal(path).startswith(f"{path} {sentence}")


def test_missing_and_folder(tmp_path):
    assert "no such file or source" in refusal(str(tmp_path / "none.txt"))
    said = refusal(str(tmp_path))
    assert said.startswith(f"{str(tmp_path)!r} is not a file; name a UTF-8 text file")
    assert said.endswith(f"hf-llm prepare_corpus --files {tmp_path}")


def test_latin_1_comes_with_the_way_out(corpus):
    path = corpus("café".encode("latin-1"))
    assert f"iconv -f latin1 -t utf-8 {path}" in refusal(path)


def test_sample_by_name():
    read = read_text("sample")
    assert read.name == "sample"
    assert read.text.encode("utf-8") == find("sample")[0].read_bytes()


def test_the_parts_are_the_text():
    sample = read_text("sample").text
    for fraction in (0.01, 0.1, 0.5, 0.99):
        train, validation = split_text(sample, fraction)
        assert train + validation == sample
        assert len(validation) == pytest.approx(fraction * len(sample), abs=1)


def test_the_split_counts_characters_not_bytes():
    assert split_text("é" * 9 + "🙂") == ("é" * 9, "🙂")


def test_the_verdict(verdict_text):
    train, validation = split_text(verdict_text)
    assert (len(train), len(validation.encode("utf-8"))) == (18431, 2048)


def test_the_example_in_the_docstring():
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
@pytest.mark.parametrize("content", [b"one\r\ntwo\r\r\nthree\r", "ação 漢 🙂\r\n\r".encode(), b"\xef\xbb\xbfa text\n"])
def test_a_streamed_text_is_the_one_that_is_read_whole(corpus, monkeypatch, content, block):
    monkeypatch.setattr("hf_llm.data.text.BLOCK", block)
    whole, streamed = read_text(corpus(content)), stream_text(corpus(content))
    assert whole.text == content.decode("utf-8-sig").replace("\r\n", "\n")
    for name in ("name", "sha256", "bytes", "windows_line_ends", "encoding", "reading"):
        assert getattr(streamed, name) == getattr(whole, name)
    for start in range(len(whole.text)):
        for end in (None, *range(start, len(whole.text) + 1)):
            assert "".join(streamed.blocks(start, end)) == whole.text[start:end]


def test_a_file_that_changes_between_two_readings_is_refused(corpus):
    streamed = stream_text(corpus(b"a text"))
    corpus(b"a text and more")
    with pytest.raises(UserError, match="changed while it was read"):
        list(streamed.blocks(0, 3))
