"""Ten-fold cross-validation: no fold's training sees the tenth that is held out, and all tenths are the whole story."""

import dataclasses
import json

import numpy as np
import pytest

from hf_llm.benchmarks.record import recipe
from hf_llm.benchmarks.verdict_folds import BASELINES, FOLDS, RECIPES, cross_validate, fold_corpus
from hf_llm.data import Text, read_text
from hf_llm.recipes.pretrain import read_inputs
from hf_llm.tokenization.byte_lengths import text_bytes
from hf_llm.training.config import PretrainConfig

TINY = {
    "corpus": "sample", "n_embd": 16, "n_layer": 1, "n_head": 1, "vocab_size": 300, "sample_tokens": 1,
    "max_steps": 2, "warmup_steps": 1, "eval_steps": 1, "eval_stride": 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def config() -> PretrainConfig:
    return recipe(PretrainConfig, "gpt2/verdict", **TINY)


@pytest.fixture(scope="module")
def text() -> Text:
    return read_text("sample")


def test_the_tenths_are_the_whole_text_and_the_sides_are_documents(text, config):
    corpora = [fold_corpus(text, fold, FOLDS, config) for fold in range(FOLDS)]
    held_out = [text_bytes(each.tokenizer, each.validation.shards[0][1:]) for each in corpora]
    assert b"".join(held_out).decode("utf-8") == text.text
    for fold, (each, tenth) in enumerate(zip(corpora, held_out)):
        before, after = (b"".join(part) for part in (held_out[:fold], held_out[fold + 1 :]))
        documents = b"".join(b"\0" + side for side in (before, after) if side)
        for array in each.train.shards:
            assert text_bytes(each.tokenizer, array) == documents
        assert each.validation_bytes == len(tenth)


def test_the_last_fold_is_the_split_of_every_other_figure(text, config):
    last, (usual, _) = fold_corpus(text, FOLDS - 1, FOLDS, config), read_inputs(config)
    for split in ("train", "validation"):
        arrays = zip(getattr(last, split).shards, getattr(usual, split).shards, strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in arrays)


def test_what_is_held_out_has_no_effect_on_what_learns(text, config):
    start, end = len(text.text) // 5, 3 * len(text.text) // 10  # the third tenth
    other = Text(text.name, text.text[:start] + "?" * (end - start) + text.text[end:], "another hash")
    first, second = (fold_corpus(each, 2, FOLDS, config) for each in (text, other))
    assert first.tokenizer.get_vocab() == second.tokenizer.get_vocab()
    assert all(np.array_equal(*arrays) for arrays in zip(first.train.shards, second.train.shards, strict=True))


def test_what_is_held_out_has_no_effect_on_what_n_grams_write(text, config):
    config = dataclasses.replace(config, bpe_dropout=0.0, ngram_text=0.5)
    start, end = len(text.text) // 5, 3 * len(text.text) // 10  # the third tenth
    other = Text(text.name, text.text[:start] + "?" * (end - start) + text.text[end:], "another hash")
    first, second = (fold_corpus(each, 2, FOLDS, config) for each in (text, other))
    assert np.array_equal(first.train.shards[-1], second.train.shards[-1])
    assert len(first.train) == 2 * len(first.train_once)


def test_the_result(text, config):
    result = cross_validate(text, {"one": config, "two": dataclasses.replace(config, max_steps=3)}, folds=3)
    assert json.loads(json.dumps(result))["folds"][0]["fold"] == 1
    methods = ["one", "two", *BASELINES]
    bits = {method: [row[method]["bits_per_byte"] for row in result["folds"]] for method in methods}
    for method in methods:
        assert result["bits_per_byte"][method]["mean"] == pytest.approx(np.mean(bits[method]), abs=1e-4)
    for name in ("one", "two"):
        above = result["above"][name]["ngram"]
        assert above["mean"] == pytest.approx(np.mean(np.subtract(bits[name], bits["ngram"])), abs=1e-4)
        assert above["interval_95"][0] < above["mean"] < above["interval_95"][1]
    assert [(row["one"]["step"], row["two"]["step"]) for row in result["folds"]] == [(2, 3)] * 3


@pytest.mark.parametrize("name", RECIPES.values())
def test_the_recipes_are_the_committed_ones(name):
    assert recipe(PretrainConfig, name).corpus == "the-verdict"
