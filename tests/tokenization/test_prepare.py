"""A corpus from files or from a data set becomes token arrays, whole or not at all."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from hf_llm.config import UserError
from hf_llm.data.reading import Reading
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import load_corpus
from hf_llm.tokenization.documents import read_documents
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import encode_document, load_tokenizer, tokenizer_sha256, train_bpe

END = "<|endoftext|>"


@pytest.fixture(scope="module")
def documents(sample) -> list[str]:
    paragraphs = [paragraph.strip() for paragraph in sample.split("\n\n") if paragraph.strip()]
    return [f"{paragraph} ({i})" for i in range(4) for paragraph in paragraphs]


@pytest.fixture
def config(tmp_path) -> PrepareCorpusConfig:
    return PrepareCorpusConfig(
        files=[str(tmp_path / "in")], output_dir=str(tmp_path / "out"), vocab_size=300, validation_per_mille=100
    )


@pytest.fixture
def source(tmp_path):
    """Return a function that writes a file into the folder that the configuration reads."""
    (tmp_path / "in").mkdir()

    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return str(path)

    return write


def lines(documents: list[str], field: str = "text") -> str:
    return "".join(json.dumps({"id": i, field: document}) + "\n" for i, document in enumerate(documents))


def arrays(folder) -> dict[str, list[int]]:
    tokens = {split: TokenArray.load(folder, split) for split in ("train", "validation")}
    return {split: array.window(0, len(array)).tolist() for split, array in tokens.items()}


class TestSources:
    """Each kind of source gives the same arrays."""

    @pytest.fixture
    def expected(self, documents, tmp_path_factory):
        folder = tmp_path_factory.mktemp("expected")
        (folder / "all.jsonl").write_text(lines(documents))
        given = {"vocab_size": 300, "validation_per_mille": 100, "output_dir": str(folder / "out")}
        meta = prepare_corpus(PrepareCorpusConfig(files=[str(folder / "all.jsonl")], **given))
        return meta["sha256"], arrays(folder / "out")

    def check(self, config, expected):
        assert (prepare_corpus(config)["sha256"], arrays(config.output_dir)) == expected

    def test_text_files_one_document_each(self, config, source, documents, expected):
        for i, document in enumerate(documents):
            source(f"{i:03d}.txt", document)
        self.check(config, expected)

    def test_text_with_separators(self, config, source, documents, expected):
        half = len(documents) // 2
        source("a.txt", f"\n{END}\n".join(documents[:half]) + f"\n{END}\n")
        source("b.txt.gz", gzip.compress(f"{END}".join(["", *documents[half:]]).encode("utf-8")))
        self.check(replace(config, document_separator=END), expected)

    def test_a_separator_across_two_blocks(self, config, source, documents, expected, monkeypatch):
        monkeypatch.setattr("hf_llm.tokenization.documents._CHUNK", 7)
        source("a.txt", "\ufeff" + END.join(documents))  # a byte order mark, as Windows editors write it
        self.check(replace(config, document_separator=END), expected)

    @pytest.mark.parametrize("chunk", [1, 7, 1 << 23])
    def test_windows_line_ends_are_read_as_newlines_and_it_is_said(
        self, config, source, documents, expected, monkeypatch, chunk
    ):
        monkeypatch.setattr("hf_llm.tokenization.documents._CHUNK", chunk)
        source("a.txt", f"\r\n{END}\r\n".join(document.replace("\n", "\r\n") for document in documents))
        self.check(replace(config, document_separator=END), expected)
        corpus = load_corpus(config.output_dir, load_tokenizer(config.output_dir))
        assert corpus.facts()["data"]["line_ends"] == r"\r\n was read as \n"

    def test_windows_line_ends_in_json_lines(self, config, source, documents, expected):
        source("a.jsonl", lines([document.replace("\n", "\r\n") for document in documents]))
        self.check(config, expected)
        assert any("\n" in document for document in documents)

    def test_a_lone_carriage_return_stays(self, config, source, documents, monkeypatch):
        monkeypatch.setattr("hf_llm.tokenization.documents._CHUNK", 5)
        source("a.txt", f"{END}".join([*documents, "\ra\r\r\nb\r"]))
        found = list(read_documents(replace(config, document_separator=END), Reading()))
        assert found[-1].text == "a\r\nb"  # of "\r\r\n" one is left
        assert [document.text for document in found[:-1]] == documents

    def test_json_lines_in_folders(self, config, source, documents, expected):
        source("a/one.jsonl", lines(documents[:5], "body") + "\n")
        source("b/two.jsonl.gz", gzip.compress(lines(documents[5:], "body").encode("utf-8")))
        source("b/.hidden.jsonl", "not read")
        source("b/readme.pdf", "not read")
        self.check(replace(config, text_field="body"), expected)

    def test_parquet_by_pattern(self, config, tmp_path, source, documents, expected):
        for name, part in (("one", documents[:5]), ("two", documents[5:])):
            table = pyarrow.table({"id": list(range(len(part))), "text": part})
            pyarrow.parquet.write_table(table, tmp_path / "in" / f"{name}.parquet")
        self.check(replace(config, files=[str(tmp_path / "in" / "*.parquet")]), expected)

    @pytest.mark.parametrize("kind", ["jsonl", "parquet"])
    def test_a_data_set_is_streamed_once(self, config, tmp_path, source, documents, expected, kind, monkeypatch):
        """The code of `datasets` that streams a Hub repository streams a folder of the same layout."""
        import datasets

        for i, part in enumerate((documents[:5], documents[5:])):
            name = f"train-{i:05d}-of-00002.{kind}"
            if kind == "parquet":
                pyarrow.parquet.write_table(pyarrow.table({"text": part}), tmp_path / "in" / name)
            else:
                source(name, lines(part))
        passes = []
        iterate = datasets.IterableDataset.__iter__
        monkeypatch.setattr(datasets.IterableDataset, "__iter__", lambda self: passes.append(1) or iterate(self))
        self.check(replace(config, files=[], dataset=str(tmp_path / "in")), expected)
        assert passes == [1]

    def test_a_branch_of_the_hub_is_pinned_to_its_commit(self, config, documents, expected, monkeypatch):
        import datasets

        asked = {}

        def info(api, dataset, revision):
            assert (dataset, revision) == ("somebody/stories", "main")
            return SimpleNamespace(sha="0123abc")

        def load(*names, **options):
            asked.update(names=names, **options)
            rows = [{"text": document} for document in documents]
            return SimpleNamespace(config=SimpleNamespace(data_files=None), as_streaming_dataset={"train": rows}.get)

        monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", info)
        monkeypatch.setattr(datasets, "load_dataset_builder", load)
        config = replace(config, files=[], dataset="somebody/stories", dataset_config="short")
        self.check(config, expected)
        names = ("somebody/stories", "short")
        assert asked == {"names": names, "revision": "0123abc"}
        meta = json.loads((Path(config.output_dir) / "corpus.json").read_text())
        assert meta["source"]["dataset_revision"] == "0123abc"

    def test_a_sample_smaller_than_the_corpus_loses_no_document(self, config, source, documents, expected):
        source("a.jsonl", lines(documents))
        meta = prepare_corpus(replace(config, tokenizer_sample_bytes=500))
        assert meta["sha256"] == expected[0]
        assert 500 <= meta["tokenizer"]["sample_bytes"] < meta["splits"]["train"]["bytes"]


class TestArrays:
    def test_split_by_document_each_with_its_start(self, config, source, documents):
        source("a.jsonl", lines([*documents, "", "  \n", f"a {END} b"]))
        meta = prepare_corpus(config)
        tokenizer, corpus = (
            load_tokenizer(config.output_dir),
            load_corpus(config.output_dir, None or load_tokenizer(config.output_dir)),
        )
        read = {}
        for split in ("train", "validation"):
            array = getattr(corpus, split)
            ids = array.window(0, len(array))
            starts = np.flatnonzero(ids == tokenizer.bos_token_id)
            assert starts[0] == 0
            read[split] = [tokenizer.decode(part[1:]) for part in np.split(ids, starts[1:])]
            assert meta["splits"][split]["documents"] == len(read[split])
            assert meta["splits"][split]["bytes"] == sum(len(text.encode("utf-8")) for text in read[split])
        assert sorted(read["train"] + read["validation"]) == sorted([*documents, f"a {END} b"])
        assert corpus.bytes == meta["bytes"]
        assert corpus.validation_bytes == meta["splits"]["validation"]["bytes"]

    def test_a_document_keeps_its_side_whatever_stands_around_it(self, config, source, documents):
        source("a.jsonl", lines(documents))
        prepare_corpus(config)
        tokenizer = load_tokenizer(config.output_dir)
        validation = arrays(config.output_dir)["validation"]
        source("a.jsonl", lines([*documents[:2:-1], "another document"]))
        prepare_corpus(replace(config, overwrite=True, tokenizer=config.output_dir))
        start = tokenizer.bos_token_id

        def cut(ids):
            return {tuple(part) for part in np.split(ids, np.flatnonzero(np.array(ids) == start))}

        gone = {tuple(encode_document(tokenizer, document)) for document in documents[:3]}
        assert cut(validation) - gone == cut(arrays(config.output_dir)["validation"]) - {
            tuple(encode_document(tokenizer, "another document"))
        }

    def test_the_tokenizer_sees_training_documents_alone(self, config, source, documents):
        source("a.jsonl", lines(documents))
        meta = prepare_corpus(config)
        tokenizer, ids = load_tokenizer(config.output_dir), arrays(config.output_dir)["train"]
        training = tokenizer.decode(ids).split(END)[1:]
        assert meta["tokenizer"]["sha256"] == tokenizer_sha256(train_bpe(training, 300))
        assert meta["tokenizer"]["sample_documents"] == len(training)

    @pytest.mark.parametrize("shard_tokens", [50, 333, 10**8])
    def test_shards_of_any_length_are_the_same_line(self, config, source, documents, shard_tokens):
        source("a.jsonl", lines(documents[:30]))
        prepare_corpus(replace(config, output_dir=config.output_dir + "-whole"))
        meta = prepare_corpus(replace(config, shard_tokens=shard_tokens))
        assert arrays(config.output_dir) == arrays(config.output_dir + "-whole")
        files = meta["splits"]["train"]["files"].values()
        assert [file["tokens"] for file in files][:-1] == [shard_tokens] * (len(files) - 1)

    def test_it_is_deterministic(self, config, source, documents, tmp_path):
        source("a.jsonl", lines(documents))
        first = prepare_corpus(config)
        again = prepare_corpus(replace(config, output_dir=str(tmp_path / "again")))
        assert first == again
        names = sorted(path.name for path in (tmp_path / "out").iterdir())
        assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
        for name in names:
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()

    def test_a_given_tokenizer_and_a_limit(self, config, source, documents, tokenizer, tmp_path):
        source("a.jsonl", lines(documents))
        tokenizer.save_pretrained(tmp_path / "tokenizer")
        meta = prepare_corpus(replace(config, tokenizer=str(tmp_path / "tokenizer"), max_bytes=3000))
        assert meta["tokenizer"]["sha256"] == tokenizer_sha256(tokenizer)
        assert 3000 <= meta["bytes"] < 3000 + max(len(document.encode("utf-8")) for document in documents)
        load_corpus(config.output_dir, tokenizer)


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("a.jsonl", '{"text": "a"}\n{"text": \n', r"line 2 of .*a\.jsonl is not JSON"),
            ("a.jsonl", '{"body": "a", "id": 1}\n', "no field 'text' in line 1 of .*a.jsonl, which has body, id"),
            ("a.jsonl", "[1]\n", "no field 'text' in element 1"),
            ("a.jsonl", '{"text": 5}\n', "'text' in line 1 of .*a.jsonl is not a text but 5"),
            ("a.jsonl", '{"text": "a"}\n{"text": "b\\ud800"}\n', r"line 2 of .*: the text holds half of a surrogate"),
            ("a.jsonl", '{"text": null}\n', "holds no text"),
            ("a.txt", "", "holds no text"),
            ("a.txt", b"\x89PNG\0\0", "is a binary file"),
            ("a.txt", "ação".encode("latin-1"), r"is not UTF-8 \(byte 1\); if it is Latin-1, convert it with: iconv"),
            ("a.txt.gz", gzip.compress(b"text" * 99, mtime=0)[:-9], r"a\.txt\.gz is cut off"),
            ("a.parquet", b"no parquet", "cannot be read as parquet"),
            ("a.txt", "only one document", "a single document, .* document_separator"),
        ],
    )
    def test_bad_content_gets_one_sentence_and_leaves_nothing(self, config, source, tmp_path, name, content, sentence):
        source(name, content)
        with pytest.raises(UserError, match=sentence) as refusal:
            prepare_corpus(config)
        assert "\n" not in str(refusal.value)
        assert [path.name for path in tmp_path.iterdir()] == ["in"]

    @pytest.mark.parametrize(("per_mille", "split"), [(1, "validation"), (999, "training")])
    def test_an_empty_split_is_refused_and_the_number_in_the_sentence_works(self, config, source, per_mille, split):
        source("a.jsonl", lines(["one document", "and another", "and a third"]))
        with pytest.raises(UserError, match=f"none of the 3 documents is for {split}") as refusal:
            prepare_corpus(replace(config, validation_per_mille=per_mille))
        number = int(str(refusal.value).split("validation_per_mille to ")[1].split(",")[0])
        meta = prepare_corpus(replace(config, validation_per_mille=number))
        assert all(counts["documents"] >= 1 for counts in meta["splits"].values())

    def test_copies_of_one_document_are_refused_for_what_they_are(self, config, source):
        """No share would put one of them on each side."""
        source("a.jsonl", lines(["a document"] * 4))
        with pytest.raises(UserError, match="the 4 documents are copies of one"):
            prepare_corpus(config)

    def test_a_file_of_another_kind(self, config, source):
        with pytest.raises(UserError, match=r"a\.pdf is of an unknown kind"):
            prepare_corpus(replace(config, files=[source("a.pdf", "%PDF")]))

    def test_nothing_there(self, config, tmp_path, source):
        for name in (str(tmp_path / "in"), str(tmp_path / "*.txt")):
            with pytest.raises(UserError, match="holds no text, JSON lines or parquet file"):
                prepare_corpus(replace(config, files=[name]))
        with pytest.raises(UserError, match="no such file or source"):
            prepare_corpus(replace(config, files=[str(tmp_path / "missing.txt")]))

    def test_a_document_too_long_for_memory(self, config, source, monkeypatch):
        monkeypatch.setattr("hf_llm.tokenization.documents._LONGEST", 100)
        source("a.txt", "a" * 101)
        with pytest.raises(UserError, match="more than 100 characters; say what separates"):
            prepare_corpus(config)

    def test_a_data_set_that_is_not_there(self, config):
        with pytest.raises(UserError, match="the data set nobody/nothing cannot be streamed"):
            prepare_corpus(replace(config, files=[], dataset="nobody/nothing"))

    def test_a_data_set_without_the_field(self, config, source, tmp_path):
        source("train.jsonl", lines(["a"], "body"))
        with pytest.raises(UserError, match=r"no field 'text' in row 1 of .*, which has id, body"):
            prepare_corpus(replace(config, files=[], dataset=str(tmp_path / "in")))

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"files": []}, "either files or dataset"),
            ({"dataset": "a/b"}, "either files or dataset"),
            ({"validation_per_mille": 0}, "between 1 and 999"),
            ({"shard_tokens": 0}, "shard_tokens must be at least 1"),
            ({"max_bytes": -1}, "max_bytes"),
            ({"document_separator": ""}, "must not be empty"),
            ({"vocab_size": 100}, "vocab_size 100 is too small"),
        ],
    )
    def test_bad_settings(self, config, source, change, sentence):
        source("a.txt", "text")
        with pytest.raises(UserError, match=sentence):
            prepare_corpus(replace(config, **change))
