"""Fetching a source from mirrors, by a real web server on this machine."""

import gzip
import os
import subprocess
import sys

import pytest

from hf_llm.config import SOURCE
from hf_llm.data import MissingData, find

TABLE = bytes(range(256)) * 40
GONE = "http://127.0.0.1:9/table.gz"  # the discard port, where nobody listens


def files_below(folder) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_into_the_cache_and_only_once(mirror, add_source, places):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "verse/poem.txt", b"a poem", mirror.url("poem.txt"))
    (path,) = find("poem")
    assert path == places["cache"] / "verse" / "poem.txt"
    assert path.read_bytes() == b"a poem"
    assert find("poem") == [path]
    assert mirror.asked == ["poem.txt"]
    assert files_below(places["cache"]) == ["poem.txt"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes")
def test_the_mode_is_that_of_any_new_file(mirror, add_source, tmp_path):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))
    (tmp_path / "ordinary").touch()
    assert find("poem")[0].stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_compressed_file_is_hashed_by_its_content_and_kept_compressed(mirror, add_source):
    mirror.files["table.gz"] = gzip.compress(TABLE, 1)
    add_source("table", "table.gz", TABLE, mirror.url("table.gz"))
    (path,) = find("table")
    assert path.read_bytes() == mirror.files["table.gz"]
    assert find("table") == [path]


@pytest.mark.parametrize("first", ["404", "gone", "other content", "not compressed", "damaged", "cut off"])
def test_the_second_mirror_is_used(mirror, add_source, places, first):
    good = gzip.compress(TABLE)
    mirror.files["second/table.gz"] = good
    if first == "cut off":
        mirror.cut_off.add("first/table.gz")
    content = {
        "other content": gzip.compress(b"something else"),
        "not compressed": b"<html>please log in</html>",
        "damaged": good[:10] + bytes([good[10] | 0b110]) + good[11:],  # a type of block that does not exist
        "cut off": good,
    }
    if first in content:
        mirror.files["first/table.gz"] = content[first]
    address = GONE if first == "gone" else mirror.url("first/table.gz")
    add_source("table", "table.gz", TABLE, address, mirror.url("second/table.gz"))
    (path,) = find("table")
    assert path.read_bytes() == good
    assert mirror.asked[-1] == "second/table.gz"
    assert files_below(places["cache"]) == ["table.gz"]


def test_when_none_has_it_each_reason_is_told_and_nothing_is_left(mirror, add_source, places):
    mirror.files["wrong.txt"] = b"another poem"
    addresses = [mirror.url("none.txt"), GONE, mirror.url("wrong.txt")]
    add_source("poem", "poem.txt", b"a poem", *addresses)
    with pytest.raises(MissingData) as error:
        find("poem")
    sentence = str(error.value)
    assert f"{addresses[0]}: Not Found" in sentence
    assert f"{addresses[1]}: " in sentence
    assert f"{addresses[2]}: other content than expected" in sentence
    assert str(places["here"].relative_to(places["here"].parent) / "poem.txt") in sentence
    assert files_below(places["cache"]) == []


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_offline_asks_nobody(mirror, add_source, monkeypatch, word):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))
    monkeypatch.setenv("HF_HUB_OFFLINE", word)
    with pytest.raises(MissingData, match="HF_HUB_OFFLINE is set"):
        find("poem")
    assert mirror.asked == []


def test_a_variable_that_says_no_is_not_offline(mirror, add_source, monkeypatch):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert find("poem")[0].read_bytes() == b"a poem"


def test_a_cache_that_cannot_be_written_is_named_and_no_other_mirror_blamed(mirror, add_source, places):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"), mirror.url("second.txt"))
    places["cache"].parent.write_text("a file where the folder should be")
    with pytest.raises(MissingData, match=r"poem\.txt cannot be written"):
        find("poem")
    assert mirror.asked == ["poem.txt"]


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_a_failed_write_leaves_nothing(mirror, add_source, places, monkeypatch, call):
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(call, full)
    with pytest.raises(MissingData, match="No space left on device"):
        find("poem")
    assert files_below(places["cache"]) == []


def test_the_file_appears_whole(mirror, add_source, places, monkeypatch):
    """Until the content is on the disk, its name does not exist."""
    mirror.files["poem.txt"] = b"a poem"
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))
    seen, fsync = [], os.fsync

    def watched(descriptor):
        fsync(descriptor)
        seen.extend(files_below(places["cache"]))

    monkeypatch.setattr("os.fsync", watched)
    find("poem")
    assert len(seen) == 1
    assert seen != ["poem.txt"]


def test_the_hub_is_where_its_variables_say(hub, tmp_path):
    """HF_ENDPOINT and HF_TOKEN are the client's; a private model shows that the token came along."""
    hub.create("me/words", {"vocab.json": b"{}"}, private=True)
    code = (
        "import hashlib, json; from hf_llm.data import MissingData, find\n"
        "from hf_llm.data.sources import SOURCES, SourceFile\n"
        "sha256 = hashlib.sha256(b'{}').hexdigest()\n"
        "SOURCES['words'] = (SourceFile('words/vocab.json', sha256, ('hf://me/words/vocab.json',)),)\n"
        "try: print(find('words')[0].read_bytes())\n"
        "except MissingData as missing: print(missing)"
    )

    def answer(**variables: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        environment |= hub.environment(tmp_path / "home") | {"PYTHONPATH": str(SOURCE)} | variables
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        return done.stdout.strip() or done.stderr

    assert f"{hub.url} gave none" in answer(HF_TOKEN="")
    assert answer() == "b'{}'"


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_which_variable_keeps_it_off_the_network(mirror, add_source, monkeypatch, variable):
    add_source("poem", "poem.txt", b"a poem", mirror.url("poem.txt"))
    monkeypatch.setenv(variable, "1")
    with pytest.raises(MissingData, match=f"could not download it .{variable} is set"):
        find("poem")
    assert mirror.asked == []


def test_what_serves_instead_is_named_where_something_does(mirror, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = {}
    for source in ("mnist", "the-verdict", "sms-spam", "gpt2-tokenizer"):
        with pytest.raises(MissingData) as missing:
            find(source)
        said[source] = str(missing.value)
    assert said["mnist"].endswith(", or use 'digits'")
    assert said["the-verdict"].endswith(", or use 'sample'")
    assert said["sms-spam"].endswith(said["gpt2-tokenizer"][-20:])  # no text of ours has labels, or is a tokenizer
    assert "sample" not in said["sms-spam"] + said["gpt2-tokenizer"]
