"""A tiny GPT-2 on the project's sample: a task that takes a tenth of a second a step."""

import pytest

from hf_llm.data import read_text
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.corpus import corpus_from_text
from hf_llm.tokenization.tokenizer import train_bpe
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig


@pytest.fixture(scope="session")
def sample_corpus():
    """The sample as token arrays, with the tokenizer that made them."""
    text = read_text("sample")
    tokenizer = train_bpe(text.text, 300)
    return corpus_from_text(text, tokenizer), tokenizer


@pytest.fixture
def make_config():
    """Return a PretrainConfig of a short run, with what a test changes."""

    def make(**changes) -> PretrainConfig:
        settings = {
            "corpus": "sample",
            "model": "nano",
            "vocab_size": 300,
            "n_positions": 16,
            "max_steps": 20,
            "total_batch_size": 8,
            "per_device_train_batch_size": 8,
            "warmup_steps": 0,
            "dropout": 0.0,
            "precision": "fp32",
            "threads": 1,
            "eval_steps": 1000,
            "eval_tokens": 200,
            "logging_steps": 1,
            "sample_tokens": 4,
        }
        return PretrainConfig(**{**settings, **changes})

    return make


@pytest.fixture
def make_tiny_task(sample_corpus):
    """Return a CausalLM task of the settings."""
    corpus, tokenizer = sample_corpus

    def make(config: PretrainConfig, world_size: int = 1) -> CausalLM:
        shape = gpt2_config(
            "nano", len(tokenizer), config.n_positions, 2, 2, 32, dropout=config.dropout, bos_token_id=0
        )
        return CausalLM(
            new_gpt2(shape, config.seed),
            corpus,
            context=shape.n_positions,
            stride=shape.n_positions,
            total_batch_size=config.total_batch_size,
            per_device_batch_size=config.per_device_train_batch_size,
            world_size=world_size,
            seed=config.seed,
            eval_tokens=config.eval_tokens,
        )

    return make
