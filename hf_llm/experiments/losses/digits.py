"""Part of the lab `losses`: a classification trained with cross-entropy, and with the square after softmax.

Both get the same nets, the same batches, and the same search for a learning rate: the rate that ends with the highest
accuracy on validation images. Two starts: weights as drawn, and weights that have first learned every label wrong
(digit 3 is "4", 9 is "0"), which are sure of wrong answers.
"""

import copy

import torch
from torch import Tensor, nn

from hf_llm.experiments.losses.formulas import cross_entropy, squared_softmax
from hf_llm.experiments.shared.toy_data import batches, digits

LOSSES = {"cross_entropy": cross_entropy, "squared": squared_softmax}
HIDDEN, BATCH = 64, 64
WRONG_STEPS, WRONG_RATE = 600, 0.5


def new_net(seed: int) -> nn.Sequential:
    """Return linear, ReLU, linear, with weights that the seed draws."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10)).double()


def wrong_net(seed: int, steps: int = WRONG_STEPS) -> nn.Sequential:
    """Return a net that has learned the next digit for each, by cross-entropy."""
    net = new_net(seed)
    train(net, "cross_entropy", WRONG_RATE, seed + 1000, steps, shift=1)
    return net


def train(net: nn.Module, loss: str, rate: float, seed: int, steps: int, points: int = 1, shift: int = 0) -> list[dict]:
    """Train `net` by SGD and return its accuracies, {"step", "training", "validation", "test"}, along the way.

    Args:
        net: Changed in place.
        loss: Key of `LOSSES`.
        rate: Learning rate of the first step; it falls to zero in a straight line, so that the last step is no lottery.
        seed: Draws the batches.
        steps: Of SGD.
        points: How often, evenly spaced, the accuracy is looked at; once more at the end.
        shift: Added to the labels, modulo 10, in training and in the accuracy.
    """
    x, labels = digits()["training"]
    labels = (labels + shift) % 10
    optimizer, seen = torch.optim.SGD(net.parameters(), lr=rate), []
    for step, batch in enumerate(batches(len(x), BATCH, steps, seed)):
        if step % max(1, steps // points) == 0:
            seen.append({"step": step, **accuracies(net, shift)})
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        LOSSES[loss](net(x[batch]), labels[batch]).backward()
        optimizer.step()
    return [*seen, {"step": steps, **accuracies(net, shift)}]


@torch.no_grad()
def accuracies(net: nn.Module, shift: int = 0) -> dict[str, float]:
    """Return the share of right answers on each part of the digits."""
    return {
        part: (net(x).argmax(dim=1) == (labels + shift) % 10).double().mean().item()
        for part, (x, labels) in digits().items()
    }


def starts(seed: int, wrong_steps: int) -> dict[str, nn.Sequential]:
    """Return the net as drawn, and the same net after it has learned every label wrong."""
    return {"as_drawn": new_net(seed), "surely_wrong": wrong_net(seed, wrong_steps)}


def gradient_at_start(net: nn.Module, loss: str) -> float:
    """Return the mean norm, over the training images, of the gradient by an image's logits."""
    x, labels = digits()["training"]
    z: Tensor = net(x).detach().requires_grad_()
    (LOSSES[loss](z, labels) * len(x)).backward()
    return z.grad.norm(dim=1).mean().item()


def race(net: nn.Module, loss: str, rate: float, seed: int, steps: int, points: int) -> dict:
    """Train a copy of `net` and return its curve and its test accuracy at the end."""
    seen = train(copy.deepcopy(net), loss, rate, seed, steps, points)
    return {
        "steps": [point["step"] for point in seen],
        "validation": [point["validation"] for point in seen],
        "test": seen[-1]["test"],
    }
