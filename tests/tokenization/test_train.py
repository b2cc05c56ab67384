"""A tokenizer of a text however short or long: one sentence and nothing written, or in the memory of a short one."""

import gc
import tracemalloc
from itertools import islice

import pytest

from hf_llm.config import UserError
from hf_llm.data import split_text
from hf_llm.tokenization.bpe import replay
from hf_llm.tokenization.config import PrepareCorpusConfig, TrainTokenizerConfig
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.tokenizer import encode, train_bpe
from hf_llm.tokenization.train import train_tokenizer


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("text", ["", "a", "é", "ab", "abcde", " \n\t ", "a\nb\n"])
def test_a_text_of_a_few_characters(tmp_path, text, fraction):
    corpus, folder = tmp_path / "tiny.txt", tmp_path / "out"
    corpus.write_text(text, encoding="utf-8")
    config = TrainTokenizerConfig(corpus=str(corpus), output_dir=str(folder), validation_fraction=fraction)
    train = text[: int(len(text) * (1 - fraction))]
    if text.strip() and train:
        trained = train_tokenizer(config)
        assert trained.train_bytes == len(train.encode("utf-8"))
        assert (folder / "tokenizer.json").is_file()
    else:
        with pytest.raises(UserError, match=r"tiny.txt is (empty|too short)"):
            train_tokenizer(config)
        assert [path.name for path in tmp_path.iterdir()] == ["tiny.txt"]


@pytest.fixture
def small_steps(monkeypatch):
    """What is in memory at a time, so small that a text of a megabyte is many times as long."""
    monkeypatch.setattr("hf_llm.data.text.BLOCK", 1 << 14)
    monkeypatch.setattr("hf_llm.tokenization.documents._CHUNK", 1 << 14)
    monkeypatch.setattr("hf_llm.tokenization.tokenizer.pieces.__defaults__", (1 << 8,))
    monkeypatch.setattr("hf_llm.tokenization.tokenizer.batches.__defaults__", (1 << 14, len))
    monkeypatch.setattr("hf_llm.tokenization.token_array.BUFFER", 1 << 12)


def peak(work) -> int:
    """Return the bytes that Python held at once during `work`, of what it took since."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("line_end", ["\r\n", " "], ids=["lines", "one line"])
def test_memory_does_not_grow_with_the_text(small_steps, sample, tmp_path, line_end):
    text = " ".join(sample.split()).replace(". ", f".{line_end}")

    def train(copies: int) -> int:
        (tmp_path / "a.txt").write_bytes((text * copies).encode("utf-8"))
        config = TrainTokenizerConfig(corpus=str(tmp_path / "a.txt"), output_dir=str(tmp_path / "o"), overwrite=True)
        return peak(lambda: train_tokenizer(config))

    train(1)  # what is loaded at the first call stays
    short = train(200_000 // len(text))
    assert train(800_000 // len(text)) < short + 100_000


def test_memory_does_not_grow_with_a_corpus_of_documents(small_steps, sample, tmp_path):
    paragraphs = sample.split("\n\n")

    def prepare(copies: int) -> int:
        documents = (f"{number} {one}\n\n" for number in range(copies) for one in paragraphs)
        (tmp_path / "a.txt").write_text("".join(documents), encoding="utf-8")
        config = PrepareCorpusConfig(
            files=[str(tmp_path / "a.txt")], document_separator="\n\n", vocab_size=600, validation_per_mille=100,
            output_dir=str(tmp_path / "o"), overwrite=True,
        )  # fmt: skip
        return peak(lambda: prepare_corpus(config))

    prepare(1)
    short = prepare(200_000 // len(sample))
    assert prepare(800_000 // len(sample)) < short + 100_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_that_comes_in_blocks_gives_the_tokenizer_of_the_whole(small_steps, sample, tmp_path, encoding):
    text = sample * 20
    (tmp_path / "a.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    trained = train_tokenizer(
        TrainTokenizerConfig(corpus=str(tmp_path / "a.txt"), output_dir=str(tmp_path / "o"), replay=5)
    )
    train, unseen = split_text(text)
    whole = train_bpe(train, 1000)
    whole.save_pretrained(tmp_path / "whole")
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "o" / path.name).read_bytes() == path.read_bytes()
    assert trained.train_bytes_per_token == len(train.encode("utf-8")) / len(encode(whole, train))
    assert trained.validation_bytes_per_token == len(unseen.encode("utf-8")) / len(encode(whole, unseen))
    assert trained.merges == list(islice(replay(train, 1000), 5))
