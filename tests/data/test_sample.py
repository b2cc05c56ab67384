"""The story in the package: Portuguese and English paragraph by paragraph, clean text of a known size."""

import re
import unicodedata

import pytest

from hf_llm.data import find, read_text

PORTUGUESE = {"o", "a", "os", "as", "um", "uma", "e", "de", "do", "da", "que", "não", "em", "com", "eu"}
ENGLISH = {"the", "a", "an", "and", "of", "to", "that", "not", "in", "with", "i", "it", "he", "she", "was"}


@pytest.fixture(scope="module")
def text() -> str:
    return read_text("sample").text


@pytest.fixture(scope="module")
def pairs(text) -> list[tuple[str, str]]:
    """Portuguese paragraphs, each with its English counterpart."""
    paragraphs = text.removesuffix("\n").split("\n\n")
    assert len(paragraphs) % 2 == 0, "a paragraph lacks its counterpart"
    return list(zip(paragraphs[::2], paragraphs[1::2]))


def test_file_is_plain_utf8(text):
    content = find("sample")[0].read_bytes()
    assert content.decode("utf-8", errors="strict") == text  # also: no byte order mark
    assert unicodedata.is_normalized("NFC", text)
    strange = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Zl", "Zp")}
    assert not strange, f"control or invisible characters (tabs and carriage returns among them): {strange}"
    assert {c for c in text if unicodedata.category(c) == "Zs"} == {" "}, "a space that looks like the usual one"


def test_lines_are_tidy(text):
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert all(line == line.strip() for line in text.split("\n"))
    assert "  " not in text


def test_each_language_is_about_8_kb(pairs):
    for language in zip(*pairs):
        assert 7_000 <= sum(len(paragraph.encode("utf-8")) for paragraph in language) <= 9_500


def test_languages_alternate(pairs):
    for portuguese, english in pairs:
        for paragraph, own, other in ((portuguese, PORTUGUESE, ENGLISH), (english, ENGLISH, PORTUGUESE)):
            words = re.findall(r"\w+", paragraph.lower())
            assert sum(w in own for w in words) > sum(w in other for w in words), paragraph
        assert portuguese.count("\n") == english.count("\n"), "dialogue of other lengths"


def test_dialogue_has_the_marks_of_its_language(pairs):
    portuguese, english = ("\n".join(language) for language in zip(*pairs))
    assert "\n— " in portuguese
    assert "—" not in english
    assert re.search(r'^"[^"]+"$', english, re.MULTILINE)
    assert all(line.count('"') % 2 == 0 for line in (portuguese + "\n" + english).split("\n"))
