"""Part of the lab `activations`: hidden units whose gradient is gone for every image, and whether they come back.

A hidden unit learns by the gradient of its weighted sum z, which is f'(z) times something. If f'(z) is zero for all
images, its weights stand still for good: no image can bring it back. A step that is too large gets it there, for
instance by pushing the bias so far down that z is negative whatever the image (Lu et al. 2019, "Dying ReLU and
initialization").
"""

from torch import Tensor

from hf_llm.experiments.backprop.by_hand import ACTIVATIONS, TwoLayerNet
from hf_llm.experiments.shared.toy_data import batches, digits

HIDDEN, BATCH = 128, 64
GENTLE_RATE = 0.1
NO_GRADIENT = 1e-6  # a unit is dead when less than this part of the gradient passes, whatever the image


def dead_units(net: TwoLayerNet, values: dict[str, Tensor]) -> Tensor:
    """Return which hidden units let no gradient through for any image, shape (H,), from the values of all images."""
    passes = ACTIVATIONS[net.activation].derivative(values["z"]).abs()  # (N, H)
    return passes.amax(dim=0) < NO_GRADIENT


def kill_and_nurse(activation: str, learning_rate: float, seed: int, steps: int) -> dict:
    """Train by hand at `learning_rate`, then as long again at a gentle rate; return the share of dead units each time.

    Returns:
        `start`, `after`, `later`: share of dead units before, after the first and after the second training.
        `revived`: share, among the units that were dead after the first training, that were not after the second.
        `accuracy`, `accuracy_later`: on the training images.
    """
    x, labels = digits()["training"]
    net = TwoLayerNet(x.shape[1], HIDDEN, classes=10, activation=activation, seed=seed)
    order = iter(batches(len(x), BATCH, 2 * steps, seed))

    def look() -> tuple[Tensor, float]:
        values = net.forward(x, labels)
        return dead_units(net, values), float((values["p"].argmax(dim=1) == labels).double().mean())

    def train(rate: float) -> None:
        for _ in range(steps):
            batch = next(order)
            net.step(net.backward(net.forward(x[batch], labels[batch])), rate)

    start, _ = look()
    train(learning_rate)
    after, accuracy = look()
    train(GENTLE_RATE)
    later, accuracy_later = look()
    return {
        "start": float(start.double().mean()),
        "after": float(after.double().mean()),
        "later": float(later.double().mean()),
        "revived": float((after & ~later).sum() / after.sum().clamp(min=1)),
        "accuracy": accuracy,
        "accuracy_later": accuracy_later,
    }
