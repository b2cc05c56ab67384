"""Where a source is looked for, in which order, and that a file that is not what it should be is named."""

import gzip
import hashlib
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.data import MissingData, find, is_here, sha256_of
from hf_llm.data.search import search_folders, user_cache
from hf_llm.data.sources import SOURCES

POEM = b"a poem\n"


@pytest.fixture
def poem(add_source):
    add_source("poem", "verse/poem.txt", POEM)


def test_first_place_wins(poem, places, put):
    for place in ("cache", "here", "given"):  # last to first
        path = put(places[place], "verse/poem.txt", POEM)
        (found,) = find("poem")
        assert found.resolve() == path


def test_a_given_folder_may_be_relative_to_home(poem, places, put, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("HF_LLM_DATA_DIR", "~/given")
    path = put(places["given"], "verse/poem.txt", POEM)
    assert find("poem") == [path]


def test_an_empty_variable_is_none(places, monkeypatch):
    monkeypatch.setenv("HF_LLM_DATA_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr("sys.platform", "linux")
    assert search_folders() == [Path("data"), Path.home() / ".cache" / "hf_llm"]


def test_the_cache_of_windows(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr("sys.platform", "win32")
    assert user_cache() == tmp_path / "hf_llm"


def test_an_explicit_path_is_taken_as_it_is(poem, places, put, tmp_path):
    other = put(tmp_path, "poem.txt", b"another poem")
    put(places["given"], "verse/poem.txt", POEM)
    assert find(str(other)) == [other]
    assert find(str(tmp_path)) == [tmp_path]


def test_all_files_of_a_source_in_order(poem, add_source, places, put):
    add_source("poem", "verse/notes.txt", b"notes")
    put(places["given"], "verse/poem.txt", POEM)
    put(places["here"], "verse/notes.txt", b"notes")
    assert [path.name for path in find("poem")] == ["poem.txt", "notes.txt"]


@pytest.mark.parametrize("place", ["given", "here", "cache"])
def test_a_damaged_file_is_named_and_not_passed_over(poem, places, put, place):
    put(places["cache"], "verse/poem.txt", POEM)
    damaged = put(places[place], "verse/poem.txt", b"A poem\n")
    with pytest.raises(UserError, match="is not the poem that this project knows") as error:
        find("poem")
    assert not isinstance(error.value, MissingData)
    assert str(Path(*damaged.parts[-3:])) in str(error.value)


@pytest.mark.parametrize("damage", ["truncated", "flipped bits", "other content", "empty"])
def test_a_damaged_compressed_file_is_named(add_source, places, put, damage):
    content = bytes(range(256)) * 40
    add_source("table", "table.gz", content)
    path = put(places["given"], "table.gz", content)
    packed = bytearray(path.read_bytes())
    if damage == "truncated":
        packed = packed[:-20]
    elif damage == "flipped bits":
        packed[10] |= 0b110  # a type of block that does not exist
    else:
        packed = content[1:] if damage == "other content" else b""
    path.write_bytes(packed)
    with pytest.raises(UserError, match=r"table\.gz") as error:
        find("table")
    assert str(error.value).endswith(("remove or replace it", "copy or download it again"))


def test_a_file_that_was_decompressed_on_the_way_is_known(add_source, places, put):
    """As browsers do, which leave the name as it was."""
    content = bytes(range(256)) * 40
    add_source("table", "table.gz", content)
    path = put(places["given"], "table.gz", content)
    path.write_bytes(content)
    assert find("table") == [path]


def test_the_hash_is_that_of_the_decompressed_bytes(tmp_path):
    packed = tmp_path / "poem.gz"
    for level in (1, 9):
        packed.write_bytes(gzip.compress(POEM, level, mtime=level))
        assert sha256_of(packed) == hashlib.sha256(POEM).hexdigest()


def test_a_hash_is_not_remembered_for_another_content(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_bytes(POEM)
    before = sha256_of(path)
    path.write_bytes(b"a longer poem\n")
    assert sha256_of(path) != before


def test_missing_data_names_all_places(poem, places):
    with pytest.raises(MissingData) as error:
        find("poem")
    sentence = str(error.value)
    for folder in (places["given"], Path("data"), places["cache"]):
        assert str(folder / "verse" / "poem.txt") in sentence
    assert "no address to download from" in sentence
    assert "HF_LLM_DATA_DIR" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("the-verdit", "did you mean 'the-verdict'?"),
        ("no/such/file.txt", "no such file or source: 'no/such/file.txt'"),
        ("x" * 5000, "no such file or source"),  # a text pasted in place of a path
        ("~nobody-of-that-name/corpus.txt", "no such file or source"),
        ("nul\0", "no such file or source"),
        ("lone\udce9", "no such file or source"),
        ("", "no such file or source"),
    ],
)
def test_neither_a_name_nor_a_path(source, words):
    with pytest.raises(UserError) as error:
        find(source)
    assert words in str(error.value)
    assert "sample, the-verdict, tiny-shakespeare" in str(error.value)


def test_what_is_here_is_told_without_a_download(poem, places, put):
    assert not is_here("poem")
    put(places["cache"], "verse/poem.txt", POEM)
    assert is_here("poem")
    assert is_here("sample")


def test_the_sample_lies_in_the_package_and_needs_no_place(places):
    (path,) = find("sample")
    assert path.parts[-4:] == ("hf_llm", "data", "sample", "sample.txt")


def test_every_known_hash_and_address_has_its_form():
    for files in SOURCES.values():
        for file in files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert not Path(file.path).is_absolute()
            for url in file.urls:
                assert url.startswith(("https://", "hf://"))
                assert url.endswith((Path(file.path).name, "input.txt", "dom_casmurro.txt"))
