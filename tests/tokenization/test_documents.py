"""Documents of each kind of file and data set: what is not read is counted, and no message repeats a whole file."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow
import pyarrow.parquet
import pytest

from hf_llm.config import UserError
from hf_llm.data.reading import Reading
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import load_corpus
from hf_llm.tokenization.documents import read_documents
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.tokenizer import load_tokenizer

TEXTS = [f"Era uma vez, {number}.\nE acabou-se a história." for number in range(40)]
ROWS = [{"id": number, "text": text} for number, text in enumerate(TEXTS)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "in"


@pytest.fixture
def config(folder, tmp_path) -> PrepareCorpusConfig:
    folder.mkdir()
    return PrepareCorpusConfig(
        files=[str(folder)], output_dir=str(tmp_path / "out"), vocab_size=300, validation_per_mille=300
    )


def read(config: PrepareCorpusConfig) -> tuple[list[str], Reading]:
    reading = Reading()
    return [document.text for document in read_documents(config, reading)], reading


def refusal(config: PrepareCorpusConfig) -> str:
    with pytest.raises(UserError) as error:
        read(config)
    assert "\n" not in str(error.value)
    return str(error.value)


def as_lines(encoding: str = "utf-8", **options) -> bytes:
    return "".join(json.dumps(row, **options) + "\n" for row in ROWS).encode(encoding)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS).encode()),
        ("a.json", json.dumps(ROWS, indent=2).encode()),
        ("a.jsonl.gz", gzip.compress(b"\n" + json.dumps(ROWS).encode(), mtime=0)),
        ("a.jsonl", as_lines("utf-16", ensure_ascii=False)),  # what PowerShell's > writes
        ("a.jsonl", as_lines("utf-8-sig")),
        ("a.json", as_lines()),
    ],
    ids=["array", "array over lines", "array in gzip", "utf-16", "mark", "lines"],
)
def test_rows_however_they_are_written(config, folder, name, content):
    (folder / name).write_bytes(content)
    assert read(config)[0] == TEXTS


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", json.dumps(ROWS).encode()[:-9], "begins as a JSON array and is none"),
        ("a.jsonl", b"[" * 100_000, "begins as a JSON array and is none"),
        ("a.jsonl", b'{"text":' * 100_000, "line 1 of .* is not JSON"),
        ("a.json", json.dumps({"data": ROWS}, indent=2).encode(), "line 1 of .* is not JSON"),
        ("a.json", json.dumps([*ROWS, 5]).encode(), "no field 'text' in element 41 of .*, which has no fields"),
        ("a.jsonl", as_lines("latin-1", ensure_ascii=False), r"is not UTF-8 \(byte \d+\)"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS, not the file itself"),
    ],
)
def test_rows_that_are_none_are_named_for_what_they_are(config, folder, name, content, sentence):
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read(config)


def test_latin_1_in_a_parquet_string_is_named_with_its_row(config, folder):
    latin = pyarrow.array([text.encode("latin-1") for text in ["a", "b", *TEXTS]], pyarrow.binary())
    strings = pyarrow.Array.from_buffers(pyarrow.string(), len(latin), latin.buffers())  # as careless writers do
    pyarrow.parquet.write_table(pyarrow.table({"text": strings}), folder / "a.parquet")
    assert "'text' in row 3 of " in refusal(config)
    assert "is not UTF-8 (byte 34), as parquet wants its texts" in refusal(config)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps([[text * 100 for text in TEXTS]] * 9).encode()),
        ("a.jsonl", json.dumps(TEXTS * 99).encode()),
        ("a.jsonl", json.dumps({text: 1 for text in TEXTS * 99}).encode()),
        ("a.jsonl", json.dumps({f"{number} {text}": 1 for number in range(99) for text in TEXTS}).encode()),
        ("a.jsonl", json.dumps({"text": TEXTS * 99}).encode()),
        ("a.jsonl", ("x" * 171_000).encode()),
        ("a.parquet", ("x" * 171_000).encode()),
    ],
)
def test_a_message_repeats_a_little_of_a_file_however_much_there_is(config, folder, name, content):
    (folder / name).write_bytes(content)
    assert len(refusal(config)) < len(str(folder)) + 300


class TestDataSets:
    @pytest.fixture
    def config(self, config, folder):
        return replace(config, files=[], dataset=str(folder))

    def test_of_a_folder_of_texts_each_is_a_document(self, config, folder):
        for number, text in enumerate(TEXTS[:3]):
            (folder / f"{number}.txt").write_text(text, encoding="utf-16" if number else "utf-8")
        (folder / ".hidden.txt").write_text("hidden")
        documents, reading = read(config)
        assert documents == TEXTS[:3]
        assert (reading.files, reading.encodings, reading.left_out) == (3, {"utf-16": 2}, {"hidden": 1})

    def test_only_the_split_is_read_and_the_rest_is_counted(self, config, folder):
        for split in ("train", "test"):
            (folder / split).mkdir()
            (folder / split / "a.txt").write_text(split)
        (folder / "notes.txt").write_text("of no split")
        documents, reading = read(config)
        assert (documents, reading.left_out) == (["train"], {"split": 2})
        assert read(replace(config, dataset_split="test"))[0] == ["test"]
        assert "has no split 'valid' but train, test" in refusal(replace(config, dataset_split="valid"))

    @pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
    def test_what_the_data_set_does_not_take_is_counted(self, config, folder, tmp_path):
        (folder / "a.jsonl").write_bytes(as_lines())
        (folder / "b.txt").write_text("passed over, since most files are JSON lines")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "c.jsonl").write_bytes(as_lines())
        (folder / "linked").symlink_to(tmp_path / "elsewhere")
        documents, reading = read(config)
        assert documents == TEXTS
        assert (reading.files, reading.left_out) == (1, {"kind": 1, "split": 1})

    def test_a_text_file_of_the_hub_is_one_document(self, config, monkeypatch):
        import datasets

        settings = SimpleNamespace(data_files={"train": ["hf://a.txt", "hf://b.txt"]}, sample_by="line", encoding="")
        builder = SimpleNamespace(config=settings, as_streaming_dataset=lambda split: [{"text": settings.sample_by}])
        monkeypatch.setattr(datasets, "load_dataset_builder", lambda *names, **options: builder)
        documents, reading = read(replace(config, dataset="somebody/books"))
        assert (documents, reading.files) == (["document"], 2)


class TestAccount:
    def test_what_was_read_is_in_the_corpus_and_said_of_it_later(self, config, folder):
        (folder / "a.jsonl").write_bytes(as_lines() + b'{"text": " "}\n')
        (folder / "b.txt").write_text(TEXTS[0] + "!", encoding="utf-16")
        (folder / "c.pdf").write_bytes(b"%PDF")
        reading = Reading()
        meta = prepare_corpus(config, reading)
        size = sum(len(text.encode()) for text in [*TEXTS, TEXTS[0] + "!"])
        expected = {"files": 2, "documents": 41, "bytes": size, "left_out": {"kind": 1, "empty": 1}}
        assert meta["read"] == {**expected, "encodings": {"utf-16": 1}} == reading.facts()
        assert (meta["documents"], meta["bytes"]) == (41, size)
        later = load_corpus(config.output_dir, load_tokenizer(config.output_dir)).reading
        assert (later.documents, later.bytes) == (41, size)

    def test_files_behind_the_limit_are_counted(self, config, folder):
        for number, text in enumerate(TEXTS):
            (folder / f"{number:02d}.txt").write_text(text, encoding="utf-8")
        meta = prepare_corpus(replace(config, max_bytes=10 * len(TEXTS[0].encode())))
        assert meta["read"]["files"] == meta["documents"] == 10
        assert meta["read"]["left_out"] == {"max_bytes": 30}

    def test_an_empty_name_is_not_the_current_folder(self, config, folder, monkeypatch):
        (folder / "a.jsonl").write_bytes(as_lines())
        monkeypatch.chdir(folder)
        assert "a name of a file or folder is empty" in refusal(replace(config, files=[""]))
        assert not Path(config.output_dir).exists()
        with pytest.raises(UserError, match="a name of a file or folder is empty"):
            prepare_corpus(replace(config, tokenizer=""))
