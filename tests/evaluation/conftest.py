"""A tokenizer trained on the sample, and a tiny GPT-2 with random weights and a strong opinion."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import train_bpe


@pytest.fixture(scope="session")
def tokenizer():
    return train_bpe(read_text("sample").text, 300)


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    ids = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=16, n_embd=32, n_layer=2, n_head=2, initializer_range=0.2, **ids
    )
    return GPT2LMHeadModel(config).eval()
