"""A mask from a hash is a dropout mask: as many numbers, anywhere, anew each time, the same in the backward pass."""

import pytest
import torch
from torch import nn

from hf_llm.config.compiler import cpp_compiler
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.training.compilation import ON_CPU
from hf_llm.training.hashed_dropout import hashed_dropout, with_hashed_dropout


def masks(p, count=200, size=1 << 14):
    """Return (count, size): 1 where a number was dropped, minus the share that should be."""
    torch.manual_seed(0)
    return torch.stack([(hashed_dropout(torch.ones(size), p) == 0).double() for _ in range(count)]) - p


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.9])
def test_what_is_dropped_is_independent_of_place_mask_and_neighbours(p):
    dropped, variance = masks(p), p * (1 - p)
    count, size = dropped.shape

    def z(products):
        return abs(products.mean().item()) / variance * products.numel() ** 0.5

    assert abs(dropped.mean()) < 4 * (variance / dropped.numel()) ** 0.5
    assert dropped.mean(1).std() == pytest.approx((variance / size) ** 0.5, rel=0.2)  # of each mask, over the masks
    assert dropped.mean(0).std() == pytest.approx((variance / count) ** 0.5, rel=0.05)  # of each place, over the places
    assert dropped.view(count, -1, 64).sum(-1).var() == pytest.approx(64 * variance, rel=0.05)  # of neighbours together
    assert all(z(dropped[:, lag:] * dropped[:, :-lag]) < 4 for lag in (1, 2, 16, 64, 256, 1024))
    assert z(dropped[1:] * dropped[:-1]) < 4
    pairs = (dropped @ dropped.T / variance / size**0.5).fill_diagonal_(0)
    assert pairs.abs().max() < 6  # 19,900 pairs of masks, each number of standard normal size


def test_what_is_kept_is_divided_and_its_gradient_too():
    x = torch.full((4, 500), 3.0, requires_grad=True)
    kept = hashed_dropout(x, 0.25)
    assert set(kept.unique().tolist()) == {0.0, 4.0}
    kept.sum().backward()
    assert torch.equal(x.grad, kept.detach() / 3)
    assert hashed_dropout(x.bfloat16(), 0.25).dtype == torch.bfloat16


def test_torchs_seed_decides():
    def drawn(seed):
        torch.manual_seed(seed)
        return hashed_dropout(torch.ones(1000), 0.5)

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_nothing_is_dropped_in_evaluation_or_at_0():
    x = torch.ones(100)
    assert hashed_dropout(x, 0.5, training=False) is x
    assert hashed_dropout(x, 0.0) is x


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_all_dropouts_of_a_block_that_are_asked_for_in_python_are_replaced(attention, monkeypatch):
    config = gpt2_config("nano", vocab_size=300, n_positions=32, n_layer=1, dropout=0.3, attention=attention)
    block, drawn = new_gpt2(config, seed=0).train().transformer.h[0], []
    shapes = {"eager": [(2, 4, 32, 32), (2, 32, 32), (2, 32, 32)], "sdpa": [(2, 32, 32), (2, 32, 32)]}

    def watched(input, *args, **kwargs):
        drawn.append((input.ndim, input.shape[-2]))
        return hashed_dropout(input, *args, **kwargs)

    monkeypatch.setattr("hf_llm.training.hashed_dropout.hashed_dropout", watched)
    with_hashed_dropout(block.forward)(torch.ones(2, 32, config.n_embd))
    assert drawn == [(len(shape), shape[-2]) for shape in shapes[attention]]


@pytest.mark.skipif(cpp_compiler() is None, reason="there is no C++ compiler, so nothing is compiled")
@pytest.mark.slow
def test_compiled_the_mask_is_the_same():
    def layer(x):
        return nn.functional.dropout(x, 0.3) * 2

    results, hashed = [], with_hashed_dropout(layer)
    for forward in (hashed, torch.compile(hashed, fullgraph=True, options=ON_CPU)):
        torch.manual_seed(3)
        x = torch.ones(7, 300, requires_grad=True)
        y = forward(x)
        y.sum().backward()
        results.append((y.detach(), x.grad))
    torch.testing.assert_close(results[1], results[0])
    assert torch.equal(results[1][0] == 0, results[1][1] == 0)
