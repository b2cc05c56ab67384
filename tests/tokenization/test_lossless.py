"""Tokenizers of other kinds: what they change in a text is said, and bits per byte divide by the text's own bytes."""

import json
import logging
import math

import numpy as np
import pytest
import torch
from foreign_tokenizers import KINDS, foreign_tokenizer
from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from hf_llm.config import UserError
from hf_llm.data import Text
from hf_llm.evaluation.baselines import corpus_baselines
from hf_llm.evaluation.config import EvaluateConfig
from hf_llm.evaluation.report import evaluate_language_model
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.tokenization.byte_lengths import source_byte_lengths, text_bytes
from hf_llm.tokenization.compare import compare
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import corpus_from_text, load_corpus
from hf_llm.tokenization.lossless import changes
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.tokenization.tokenizer import (
    document_start,
    encode,
    encode_document,
    encode_prompt,
    load_tokenizer,
)

HARD = "Coração, AÇÃO  e\n\nﬁm ½ 日本 🙂 e\u0301 don't. <unk>\t"
LOSSY = [kind for kind, gives_back in KINDS.items() if not gives_back]


@pytest.fixture(scope="session")
def of_kind(sample):
    """Return a tokenizer of a kind, trained once on the project's story."""
    made = {}

    def get(kind: str) -> PreTrainedTokenizerFast:
        return made.setdefault(kind, foreign_tokenizer(kind, sample))

    return get


def folder_of(tokenizer, folder, rows: int | None = None):
    """Save the tokenizer with a GPT-2 of random weights beside it."""
    torch.manual_seed(0)
    sizes = {"n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
    GPT2LMHeadModel(GPT2Config(vocab_size=rows or len(tokenizer), **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_otherwise_is_found(of_kind, sample, kind):
    tokenizer = of_kind(kind)
    found = changes(tokenizer, HARD, encode(tokenizer, HARD))
    assert bool(found) is not KINDS[kind]
    assert not changes(of_kind("gpt2"), sample, encode(of_kind("gpt2"), sample))


@pytest.mark.parametrize(
    ("kind", "text", "lost", "added"),
    [
        ("no alphabet", "Coração 日", "日", ""),
        ("lower case", "Coração", "C", "c"),
        ("accents", "Coração", "çã", "ca"),
        ("nfc", "e\u0301", "e\u0301", "é"),
        ("nfkc", "ﬁm", "ﬁ", "fi"),
        ("prefix space", "Coração", "", " "),
        ("words", "o  gato", " o", "<unk>"),
    ],
)
def test_the_characters_are_named(of_kind, kind, text, lost, added):
    tokenizer = of_kind(kind)
    found = changes(tokenizer, text, encode(tokenizer, text))
    if kind != "words":
        assert (set(found.lost), set(found.added)) == (set(lost), set(added))
    sentence = found.sentence()
    for character in (set(found.lost) | set(found.added)) - set(" \u0301"):
        assert character in sentence
        assert character in sentence.in_language("pt-BR")
    assert sentence.in_language("pt-BR") != sentence


def test_a_space_that_changes_its_place_is_a_change():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"b": 0, "a": 1}, unk_token="a")))
    assert changes(tokenizer, "a b", [0, 1])  # decoded to "b a"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [HARD, "Uma noite destas, vindo da cidade", "uma casa AAAA éééé"])
def test_the_tokens_share_the_bytes_of_the_source_text(of_kind, kind, text):
    tokenizer = of_kind(kind)
    ids, size = encode(tokenizer, text), len(text.encode("utf-8"))
    lengths = source_byte_lengths(tokenizer, [ids], size)
    assert lengths[ids].sum() == pytest.approx(size)
    if kind == "gpt2":
        assert lengths.dtype == np.int64
    start = np.array([document_start(tokenizer)])
    back = text_bytes(tokenizer, np.concatenate([start, ids, start, ids]).astype(np.int64)).split(b"\0")
    decoded = tokenizer.decode(ids.tolist(), clean_up_tokenization_spaces=False)
    assert len(back) == 3
    assert back[0] == b""
    if kind != "no alphabet":  # its decoder puts a sign where bytes are missing
        assert back[1].decode("utf-8", errors="replace").strip() == decoded.strip()


def test_a_tokenizer_that_knows_nothing_of_a_text_is_refused():
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<unk>": 0, "a": 1}, unk_token="<unk>")), unk_token="<unk>"
    )
    with pytest.raises(UserError, match="knows no character of the text"):
        source_byte_lengths(tokenizer, [encode(tokenizer, "日本")], 6)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_divides_by_the_source_text_and_says_what_is_lost(of_kind, kind, tmp_path, caplog):
    folder = folder_of(of_kind(kind), tmp_path / "model")
    text = (HARD + " Uma noite destas, vindo da cidade para o Engenho Novo. ") * 8
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    config = EvaluateConfig(model=str(folder), corpus=str(tmp_path / "text.txt"), split="all", max_new_tokens=2)
    report = evaluate_language_model(config)
    size = len(text.encode("utf-8"))
    assert report["bytes"] == size
    assert report["bits_per_byte"] == pytest.approx(report["loss"] * report["tokens"] / math.log(2) / size)
    low, high = report["bits_per_byte_interval_95"]
    assert low < report["bits_per_byte"] < high
    if KINDS[kind]:
        assert "tokenizer_changes" not in report
        assert not caplog.records
    else:
        assert report["tokenizer_changes"].startswith("The tokenizer changes the text: ")
        assert report["tokenizer_changes"] in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_says_so_too(of_kind, kind, sample, caplog):
    tokenizer, text = of_kind(kind), sample + HARD
    with caplog.at_level(logging.WARNING):
        corpus = corpus_from_text(Text("story", text, "0" * 64), tokenizer)
    assert bool(corpus.changes) is not KINDS[kind]
    assert corpus.facts()["tokenizer"].get("changes", "") == corpus.changes
    assert corpus.changes in caplog.text
    ids = np.concatenate(corpus.validation.shards)
    assert corpus.byte_lengths()[ids[1:]].sum() == pytest.approx(corpus.validation_bytes)
    assert corpus_baselines(corpus)["scored_bytes"] == corpus.validation_bytes


@pytest.mark.parametrize("kind", ["gpt2", "lower case"])
def test_so_does_a_prepared_corpus(of_kind, kind, sample, tmp_path, caplog):
    (tmp_path / "story.txt").write_text(sample, encoding="utf-8")
    of_kind(kind).save_pretrained(tmp_path / "tokenizer")
    config = PrepareCorpusConfig(
        files=[str(tmp_path / "story.txt")], document_separator="\n\n", output_dir=str(tmp_path / "corpus"),
        tokenizer=str(tmp_path / "tokenizer"), validation_per_mille=200,
    )  # fmt: skip
    meta = prepare_corpus(config)
    assert ("changes" in meta["tokenizer"]) is not KINDS[kind]
    caplog.clear()
    corpus = load_corpus(tmp_path / "corpus", load_tokenizer(tmp_path / "corpus"))
    assert corpus.changes == meta["tokenizer"].get("changes", "")
    assert corpus.changes in caplog.text
    ids = np.concatenate(corpus.validation.shards)
    assert corpus.byte_lengths()[ids[1:]].sum() == pytest.approx(corpus.validation_bytes)


def test_a_comparison_and_a_prompt_say_so(of_kind, tmp_path):
    plain, lower = (of_kind(kind) for kind in ("gpt2", "lower case"))
    assert [each["changes"] != "" for each in compare("O gato", {"plain": plain, "lower": lower})] == [False, True]
    model = GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0))
    few = GenerationSettings(max_new_tokens=2)
    assert generate(model, plain, "O gato", few).prompt_changes == ""
    assert "(O)" in generate(model, lower, "O gato", few).prompt_changes


def test_what_a_tokenizer_puts_behind_a_text_does_not_end_the_prompt(of_kind):
    """As BERT's [SEP], which transformers' own pipeline leaves there."""
    tokenizer = of_kind("wordpiece")
    assert tokenizer("o gato")["input_ids"][-1] == tokenizer.sep_token_id
    assert encode_prompt(tokenizer, "o gato") == encode_document(tokenizer, "o gato").tolist()
    assert encode_prompt(tokenizer, "") == [tokenizer.cls_token_id]


class TestDropout:
    """A BPE can hold a probability of forgetting merges: then it reads a text otherwise each time."""

    @pytest.fixture
    def folder(self, of_kind, tmp_path):
        of_kind("gpt2").save_pretrained(tmp_path)
        content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
        content["model"]["dropout"] = 0.5
        (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    def test_it_is_there(self, folder, sample):
        stored = PreTrainedTokenizerFast.from_pretrained(folder)
        assert len({tuple(stored(sample[:500])["input_ids"]) for _ in range(5)}) > 1

    def test_it_is_switched_off_and_that_is_said(self, folder, of_kind, sample, caplog):
        tokenizer = load_tokenizer(folder)
        assert "forgets merges at random (dropout 0.5)" in caplog.text
        assert np.array_equal(encode(tokenizer, sample), encode(of_kind("gpt2"), sample))
        tokenizer.save_pretrained(folder / "again")
        assert np.array_equal(encode(load_tokenizer(folder / "again"), sample), encode(tokenizer, sample))
