"""nanoGPT's estimate: seeded, every position, the model's own mean loss."""

import numpy as np
import pytest
import torch

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.evaluation.random_blocks import random_block_loss
from hf_llm.tokenization.tokenizer import encode


@pytest.fixture
def ids(tokenizer):
    return encode(tokenizer, read_text("sample").text[:600])


def test_equals_the_models_own_loss_on_the_only_block(model, ids):
    block = torch.from_numpy(ids[:17].astype(np.int64))[None]
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(model(block[:, :-1]).logits[0], block[0, 1:]).item()
    assert random_block_loss(model, ids[:17], context=16, eval_iters=2) == pytest.approx(expected, rel=1e-6)


def test_all_blocks_are_drawn(model, ids):
    # 18 tokens hold 2 blocks of 16 and their next token, so that the draws' mean tells how often each came
    first, last = (random_block_loss(model, ids[i : i + 17], context=16, eval_iters=1) for i in range(2))
    drawn = random_block_loss(model, ids[:18], context=16, batch_size=50, eval_iters=20)
    assert (drawn - first) / (last - first) == pytest.approx(0.5, abs=0.06)


def test_the_seed_decides_and_nothing_else(model, ids):
    first = random_block_loss(model, ids, context=16, eval_iters=3, seed=1)
    torch.manual_seed(5)
    np.random.seed(5)
    model.train()  # dropout stays off, and the mode is kept
    assert random_block_loss(model, ids, context=16, eval_iters=3, seed=1) == first
    assert model.training
    assert random_block_loss(model, ids, context=16, eval_iters=3, seed=2) != first


def test_too_short(model, ids):
    with pytest.raises(UserError, match="needs 17"):
        random_block_loss(model, ids[:16], context=16)
