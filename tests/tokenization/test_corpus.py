"""Token arrays, and corpora made of them."""

import errno
import json
import mmap
import os

import numpy as np
import pytest

from hf_llm.config import UserError
from hf_llm.data import Text, read_text
from hf_llm.runs.atomic import file_sha256
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import corpus_from_text, load_corpus
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.token_array import ShardWriter, TokenArray
from hf_llm.tokenization.tokenizer import encode, load_tokenizer, train_bpe


@pytest.fixture
def folder(tmp_path, sample):
    """A prepared corpus whose training split has several shards."""
    source = tmp_path / "story.txt"
    source.write_text(sample, encoding="utf-8")
    config = PrepareCorpusConfig(
        files=[str(source)],
        document_separator="\n\n",
        output_dir=str(tmp_path / "corpus"),
        vocab_size=300,
        validation_per_mille=200,
        shard_tokens=1000,
    )
    prepare_corpus(config)
    return tmp_path / "corpus"


class TestTokenArray:
    def test_every_window_of_several_shards(self):
        line = np.arange(9)
        tokens = TokenArray([part.astype(np.uint16) for part in np.split(line, [3, 5, 5, 8])])  # one is empty
        assert len(tokens) == 9
        for start in range(10):
            for length in range(10 - start):
                window = tokens.window(start, length)
                assert window.dtype == np.int64
                assert window.tolist() == line[start : start + length].tolist()

    @pytest.mark.parametrize(("start", "length"), [(-1, 2), (8, 2), (10, 0), (0, 10), (3, -1)])
    def test_a_window_outside_is_an_error(self, start, length):
        with pytest.raises(IndexError):
            TokenArray([np.arange(9, dtype=np.uint16)]).window(start, length)

    def test_none(self):
        assert len(TokenArray([])) == 0

    def test_single_tokens_of_several_shards(self):
        line, places = np.arange(10, 19), np.array([8, 0, 3, 3, 4, 7, 2])
        tokens = TokenArray([part.astype(np.uint16) for part in np.split(line, [3, 5, 5, 8])])
        assert tokens.at(places).tolist() == line[places].tolist()
        assert tokens.at(places).dtype == np.int64
        assert tokens.at(np.array([], np.int64)).tolist() == []

    def test_files_are_mapped_and_not_read(self, tmp_path):
        for i in range(3):
            np.save(tmp_path / f"train-{i:05d}.npy", np.arange(4 * i, 4 * i + 4, dtype=np.uint16))
        tokens = TokenArray.load(tmp_path, "train")
        assert all(isinstance(shard, np.memmap) for shard in tokens.shards)
        assert tokens.window(0, 12).tolist() == list(range(12))

    def test_blocks_are_views_of_the_shards(self, monkeypatch):
        monkeypatch.setattr("hf_llm.tokenization.token_array.BUFFER", 2)
        line = np.arange(9)
        tokens = TokenArray([part.astype(np.uint16) for part in np.split(line, [3, 5, 5, 8])])
        for start in range(10):
            for end in (*range(start, 10), None):
                blocks = list(tokens.blocks(start, end))
                assert [id for block in blocks for id in block] == line[start:end].tolist()
                assert all(len(block) <= 2 and block.base is not None for block in blocks)

    def test_a_disk_that_shares_no_map_has_private_ones(self, tmp_path, monkeypatch):
        """FUSE with direct_io; what it answers was seen on one."""
        np.save(tmp_path / "train-00000.npy", np.arange(9, dtype=np.uint16))
        real = mmap.mmap

        def private(*arguments, access, **more):
            if access == mmap.ACCESS_READ:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            return real(*arguments, access=access, **more)

        monkeypatch.setattr(mmap, "mmap", private)
        assert TokenArray.load(tmp_path, "train").window(2, 3).tolist() == [2, 3, 4]

    def test_missing_or_damaged_files_get_a_sentence(self, tmp_path):
        with pytest.raises(UserError, match="holds no train tokens"):
            TokenArray.load(tmp_path, "train")
        file = tmp_path / "train-00000.npy"
        np.save(file, np.arange(1000, dtype=np.uint16))
        file.write_bytes(file.read_bytes()[:-2])
        with pytest.raises(UserError, match=r"train-00000\.npy is damaged"):
            TokenArray.load(tmp_path, "train")
        file.write_bytes(b"")
        with pytest.raises(UserError, match=r"train-00000\.npy is damaged"):
            TokenArray.load(tmp_path, "train")
        np.save(file, np.ones(3))
        with pytest.raises(UserError, match="holds no token ids"):
            TokenArray.load(tmp_path, "train")


@pytest.mark.parametrize("shard_tokens", [1, 5, 1000])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_a_shard_is_written_as_numpy_would_whatever_is_held_of_it(tmp_path, monkeypatch, shard_tokens, dtype):
    monkeypatch.setattr("hf_llm.tokenization.token_array.BUFFER", 3)
    writer, line = ShardWriter(tmp_path, "train", dtype, shard_tokens), np.arange(11, dtype=dtype)
    for part in np.split(line, [0, 1, 8]):
        writer.add(part)
    files = writer.close()
    assert writer.tokens == len(line)
    for place, (name, facts) in enumerate(files.items()):
        part = line[place * shard_tokens : (place + 1) * shard_tokens]
        np.save(tmp_path / "whole.npy", part)
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole.npy").read_bytes()
        assert facts == {"tokens": len(part), "sha256": file_sha256(tmp_path / name)}
    assert sorted(files) == sorted(path.name for path in tmp_path.glob("train-*.npy"))


class TestCorpusFromText:
    def test_both_splits_begin_a_document_and_are_the_text(self, tokenizer):
        text = read_text("sample")
        corpus = corpus_from_text(text, tokenizer, validation_fraction=0.25)
        cut = int(len(text.text) * 0.75)
        for tokens, expected in ((corpus.train, text.text[:cut]), (corpus.validation, text.text[cut:])):
            ids = tokens.window(0, len(tokens))
            assert ids[0] == tokenizer.bos_token_id
            assert ids[1:].tolist() == encode(tokenizer, expected).tolist()
        assert (corpus.name, corpus.sha256, corpus.bytes) == ("sample", text.sha256, text.bytes)
        assert corpus.validation_bytes == len(text.text[cut:].encode("utf-8"))

    def test_the_manifest_says_that_windows_line_ends_were_read_as_newlines(self, tokenizer, tmp_path):
        def facts(content: bytes) -> dict:
            (tmp_path / "text.txt").write_bytes(content)
            return corpus_from_text(read_text(str(tmp_path / "text.txt")), tokenizer).facts()["data"]

        plain, windows = facts(b"a line\n" * 30), facts(b"a line\r\n" * 30)
        assert windows.pop("line_ends") == r"\r\n was read as \n"
        assert {key for key in plain if plain[key] != windows[key]} == {"sha256"}

    @pytest.mark.parametrize(("text", "fraction"), [("a", 0.1), ("", 0.5), ("abc", 0.0), ("abc", 1.0)])
    def test_an_empty_part_gets_a_sentence(self, tokenizer, text, fraction):
        with pytest.raises(UserError, match=r"too short|not between 0 and 1"):
            corpus_from_text(Text("tiny", text, ""), tokenizer, fraction)


class TestLoadCorpus:
    def test_it_is_what_was_prepared(self, folder, sample):
        tokenizer = load_tokenizer(folder)
        corpus = load_corpus(folder, tokenizer)
        assert len(corpus.train.shards) > 2
        documents = [paragraph.strip() for paragraph in sample.split("\n\n") if paragraph.strip()]
        read = []
        for tokens in (corpus.train, corpus.validation):
            text = tokenizer.decode(tokens.window(0, len(tokens)))
            read += text.removeprefix("<|endoftext|>").split("<|endoftext|>")
        assert sorted(read) == sorted(documents)
        assert corpus.bytes == sum(len(document.encode("utf-8")) for document in documents)

    def test_another_models_tokenizer_is_refused(self, folder, sample):
        with pytest.raises(UserError, match="another model's tokenizer"):
            load_corpus(folder, train_bpe(sample, 301))

    def test_a_missing_shard_is_found(self, folder):
        (folder / "train-00001.npy").unlink()
        with pytest.raises(UserError, match=r"train-00001\.npy is missing"):
            load_corpus(folder, load_tokenizer(folder))

    def test_one_flipped_bit_is_found(self, folder):
        file = folder / "validation-00000.npy"
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"validation-00000\.npy is damaged"):
            load_corpus(folder, load_tokenizer(folder))

    @pytest.mark.parametrize("name", ["corpus.json", "validation-00000.npy", "tokenizer.json"])
    def test_a_pointer_in_the_place_of_a_file_is_named(self, folder, name):
        (folder / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\n")
        with pytest.raises(UserError, match=f"{name} is a pointer of Git LFS"):
            load_corpus(folder, load_tokenizer(folder))

    @pytest.mark.parametrize("name", ["corpus.json", "tokenizer.json", "tokenizer_config.json"])
    def test_a_byte_order_mark_is_named(self, folder, name):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
        with pytest.raises(UserError, match=f"{name} begins with the byte-order mark of UTF-8"):
            load_corpus(folder, load_tokenizer(folder))

    def test_a_file_of_another_corpus_is_found(self, folder):
        np.save(folder / "train-00999.npy", np.zeros(3, np.uint16))
        with pytest.raises(UserError, match="train files that are not its own"):
            load_corpus(folder, load_tokenizer(folder))

    @pytest.mark.parametrize("content", [None, "", "[]", "{}", json.dumps({"splits": {}, "tokenizer": {}})])
    def test_another_folder_gets_a_sentence(self, tmp_path, tokenizer, content):
        if content is not None:
            (tmp_path / "corpus.json").write_text(content)
        with pytest.raises(UserError, match="is not a prepared corpus"):
            load_corpus(tmp_path, tokenizer)
