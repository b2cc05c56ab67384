"""configs/gpt2/small.yaml and large.yaml pretrain from a prepared corpus; here each at a toy's size."""

import json
from pathlib import Path

import numpy as np
import pytest

from hf_llm.config import UserError, load_yaml
from hf_llm.data import read_text
from hf_llm.recipes.pretrain import make_task, pretrain, read_inputs
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.training.config import PretrainConfig

CONFIGS = Path(__file__).parents[2] / "configs" / "gpt2"
TOY = {
    "n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 32, "max_steps": 6, "warmup_steps": 2,
    "total_batch_size": 8, "per_device_train_batch_size": 4, "eval_steps": 3, "eval_stride": 16, "save_steps": 3,
    "logging_steps": 1, "precision": "fp32", "compile": False, "threads": 1, "sample_tokens": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """The sample's paragraphs as documents in JSON lines, prepared."""
    folder = tmp_path_factory.mktemp("corpus")
    paragraphs = read_text("sample").text.split("\n\n")
    lines = folder / "sample.jsonl"
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in paragraphs), encoding="utf-8")
    prepare_corpus(
        PrepareCorpusConfig(
            files=[str(lines)],
            vocab_size=300,
            validation_per_mille=200,
            shard_tokens=2000,
            output_dir=str(folder / "out"),
        )
    )
    return folder / "out"


@pytest.mark.parametrize("name", ["small", "large"])
def test_the_committed_config_trains_on_it(corpus, tmp_path, name):
    settings = load_yaml(PretrainConfig, CONFIGS / f"{name}.yaml")
    config = PretrainConfig(**{**settings, **TOY, "corpus": str(corpus), "output_dir": str(tmp_path / "run")})
    manifest = pretrain(config)
    meta = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    assert manifest["data"]["train_tokens"] == meta["splits"]["train"]["tokens"]
    assert manifest["data"]["sha256"] == meta["sha256"]
    assert manifest["tokenizer"]["vocab_size"] == 300
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["bpe_dropout", "ngram_text"])
def test_more_to_read_needs_a_text(name, corpus, tmp_path):
    config = PretrainConfig(**TOY, corpus=str(corpus), **{name: 0.1}, output_dir=str(tmp_path / "run"))
    with pytest.raises(UserError, match=f"{name} needs a text"):
        pretrain(config)


def test_its_tokens_stay_in_their_files(corpus):
    """Neither part is copied into memory, by the task or by its evaluation."""
    config = PretrainConfig(**TOY, corpus=str(corpus))
    read, model_config = read_inputs(config)
    task = make_task(config, read, model_config)
    for tokens in (task.tokens, task.validation):
        assert all(isinstance(shard, np.memmap) for shard in tokens.shards)
    copied = [value for value in vars(task).values() if isinstance(value, np.ndarray) and len(value) > 300]
    assert copied == []  # 300: a number for each token of the vocabulary
    assert task.evaluate(task.model)["validation_loss"] > 0
