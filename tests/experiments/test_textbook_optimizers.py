"""The textbook optimizers are torch's, step by step, and Adam's halves are what they are said to be."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from hf_llm.experiments.shared import textbook_optimizers as textbook

STEPS = 60


def greatest_difference(ours: Callable, theirs: Callable, settings_at: Callable[[int], dict] = lambda t: {}) -> float:
    """Train two copies of a small net, each from its own gradients, and return how far their weights ever part.

    Args:
        ours, theirs: Make an optimizer of parameters.
        settings_at: What the second one's groups are set to before step t = 1, 2, …
    """
    inputs = torch.randn(STEPS, 16, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    nets, optimizers = [], []
    for make in (ours, theirs):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
        nets.append(net)
        optimizers.append(make(net.parameters()))
    greatest = 0.0
    for t in range(1, STEPS + 1):
        for group in optimizers[1].param_groups:
            group.update(settings_at(t))
        for net, optimizer in zip(nets, optimizers):
            optimizer.zero_grad()
            (net(inputs[t - 1]) - inputs[t - 1, :, :3].sin()).square().mean().backward()
            optimizer.step()
        for one, other in zip(nets[0].parameters(), nets[1].parameters()):
            greatest = max(greatest, (one - other).abs().max().item())
    return greatest


PAIRS = {
    "SGD": (textbook.SGD, torch.optim.SGD),
    "momentum": (partial(textbook.Momentum, momentum=0.9), partial(torch.optim.SGD, momentum=0.9)),
    "RMSprop": (partial(textbook.RMSprop, alpha=0.95), partial(torch.optim.RMSprop, alpha=0.95)),
    "Adam": (partial(textbook.Adam, betas=(0.8, 0.95)), partial(torch.optim.Adam, betas=(0.8, 0.95))),
    "AdamW": (partial(textbook.AdamW, betas=(0.8, 0.95)), partial(torch.optim.AdamW, betas=(0.8, 0.95))),
}


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("rate", [1e-3, 1e-2, 1e-1])
@pytest.mark.parametrize("name", PAIRS)
def test_equal_to_torch_step_by_step(name, rate, weight_decay):
    ours, theirs = (partial(make, lr=rate, weight_decay=weight_decay) for make in PAIRS[name])
    assert greatest_difference(ours, theirs) <= 1e-6


def test_default_settings_are_torchs():
    for name in ("RMSprop", "Adam", "AdamW"):
        ours, theirs = getattr(textbook, name), getattr(torch.optim, name)
        assert greatest_difference(partial(ours, lr=0.01), partial(theirs, lr=0.01)) <= 1e-6


def test_a_missing_bias_correction_would_be_seen():
    """The measure is sharp enough: Adam with uncorrected averages lies far beyond the tolerance."""

    class Uncorrected(textbook.Adam):
        def direction(self, g, state, group):
            beta1, beta2 = group["betas"]
            state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
            state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
            return state["m"] / (state["v"].sqrt() + group["eps"])

    assert greatest_difference(partial(Uncorrected, lr=1e-3), partial(torch.optim.Adam, lr=1e-3)) > 1e-3


def test_adam_without_its_first_moment_is_rmsprop_with_bias_correction():
    beta2, eps, rate = 0.95, 1e-3, 0.01

    def scaled(t):
        return {"lr": rate * (1 - beta2**t) ** 0.5, "eps": eps * (1 - beta2**t) ** 0.5}

    half = partial(textbook.Adam, lr=rate, betas=(None, beta2), eps=eps)
    assert greatest_difference(half, partial(torch.optim.RMSprop, lr=rate, alpha=beta2), scaled) <= 1e-6


def test_adam_without_its_second_moment_is_momentum_with_bias_correction():
    beta1, rate = 0.9, 0.1

    def scaled(t):
        return {"lr": rate * (1 - beta1) / (1 - beta1**t)}

    half = partial(textbook.Adam, lr=rate, betas=(beta1, None))
    assert greatest_difference(half, partial(torch.optim.SGD, lr=rate, momentum=beta1), scaled) <= 1e-6


def test_adam_without_both_is_sgd():
    half = partial(textbook.Adam, lr=0.1, betas=(None, None))
    assert greatest_difference(half, partial(torch.optim.SGD, lr=0.1)) <= 1e-6


def test_decoupled_decay_is_l2_for_sgd_alone():
    def l2_and_decoupled(make):
        return partial(make, lr=0.05, weight_decay=0.1), partial(make, lr=0.05, weight_decay=0.1, decoupled=True)

    assert greatest_difference(*l2_and_decoupled(textbook.SGD)) <= 1e-6
    assert greatest_difference(*l2_and_decoupled(textbook.Momentum)) > 1e-3
    assert greatest_difference(*l2_and_decoupled(textbook.Adam)) > 1e-3


def test_a_parameter_without_a_gradient_stays():
    used, unused = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = textbook.AdamW([used, unused], lr=0.1, weight_decay=0.5)
    used.sum().backward()
    optimizer.step()
    assert (used < 1).all()
    assert (unused == 1).all()


def test_runs_in_one_tensor_with_their_own_rates_are_the_runs_one_by_one():
    rates, starts = torch.tensor([[0.1], [0.01]]), torch.tensor([[1.0, -2.0], [1.0, -2.0]])

    def descend(start, rate):
        w = start.clone().requires_grad_()
        optimizer = textbook.Adam([w], lr=rate)
        for _ in range(20):
            optimizer.zero_grad()
            (w**4).sum().backward()
            optimizer.step()
        return w.detach()

    together = descend(starts, rates)
    for row in range(2):
        torch.testing.assert_close(together[row], descend(starts[row], rates[row].item()))
