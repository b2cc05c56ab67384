"""The two-layer net trained by hand and by PyTorch, side by side, and how much gradient its activation lets back.

Going back through an activation, each number of the gradient is multiplied by the derivative there: at most ¼ for the
sigmoid, 0 or 1 for ReLU. So the norm behind the sigmoid is at most a quarter of the norm before it, and less where
units are saturated.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.experiments.backprop.moons import ROUNDING, TORCH_ACTIVATIONS, moons, new_net, torch_twin
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Figure, curves, dots, label, name_of, new_figure
from hf_llm.experiments.shared.two_layer_net import TwoLayerNet

LEARNING_RATE = 0.5
STEPS = (100, 1_000)  # of the short and of the full version
POINTS = 50  # of a loss curve that are kept for the figure
PLACES = ["logits", "a", "z", "x"]  # where the gradient passes, from the loss back to the input
QUARTER = 1 / 4  # the largest derivative of the sigmoid, at z = 0
WHOLE = 0.99  # a share of the norm that passes for all of it


def measure(study: Study) -> Tables:
    """Train with each activation by both ways; the seed varies data and weights."""
    steps, tables = study.pick(*STEPS), {"training": [], "losses": [], "flow": []}
    cells = [(activation, seed) for activation in TORCH_ACTIVATIONS for seed in study.seeds]
    for activation, seed in study.track(cells):
        cell = {"activation": activation, "seed": seed}
        for name, rows in train(activation, seed, steps).items():
            tables[name] += [cell | row for row in rows]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def train(activation: str, seed: int, steps: int) -> dict[str, list[dict]]:
    """Return the rows of one net for each table."""
    x, labels = moons(seed)
    net = new_net(activation, seed)
    twin, before = torch_twin(net), norms(net, x, labels)
    losses = train_by_hand(net, x, labels, steps)
    torch_losses = train_by_torch(twin, x, labels, steps)
    held_out = net.forward(*moons(seed, held_out=True))
    kept = np.unique(np.linspace(0, steps - 1, min(POINTS, steps)).astype(int)).tolist()
    return {
        "training": [{
            "first_loss": losses[0], "last_loss": losses[-1],
            "accuracy": float((held_out["p"].argmax(dim=1) == held_out["labels"]).double().mean()),
            "difference": float(np.max(np.abs(np.subtract(losses, torch_losses)) / np.array(torch_losses))),
        }],
        "losses": [{"step": step, "loss": losses[step], "torch_loss": torch_losses[step]} for step in kept],
        "flow": [{"stage": "before", **before}, {"stage": "after", **norms(net, x, labels)}],
    }  # fmt: skip


def norms(net: TwoLayerNet, x: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the norm of the gradient at each place, and the share of it that gets through the activation."""
    gradients = net.backward(net.forward(x, labels))
    found = {place: float(gradients[place].norm()) for place in PLACES}
    return {**found, "passed": found["z"] / found["a"]}


def train_by_hand(net: TwoLayerNet, x: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Return the loss before each step of gradient descent on the whole batch."""
    losses = []
    for _ in range(steps):
        values = net.forward(x, labels)
        net.step(net.backward(values), LEARNING_RATE)
        losses.append(float(values["loss"]))
    return losses


def train_by_torch(model: nn.Module, x: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Return the same by autograd and torch.optim.SGD."""
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def findings(tables: Tables) -> list[Finding]:
    training, flow = tables["training"], tables["flow"]
    first, last, relu = (by_seed(training, name, activation="relu") for name in ("first_loss", "last_loss", "accuracy"))
    gain = relu - by_seed(training, "accuracy", activation="identity")
    return [
        exact("curves", training["difference"].max(), ROUNDING, "below"),
        above("falls", first / last, 1.0, scale="log"),
        above("hidden_layer", 100 * gain),
        exact("sigmoid_passes", select(flow, activation="sigmoid")["passed"].max(), QUARTER, "below"),
        above("relu_passes", by_seed(flow, "passed", activation="relu", stage="before"), WHOLE, scale="logit"),
    ]


def draw_losses(tables: Tables, say: Say) -> Figure:
    """Draw one line an activation, and on it circles where PyTorch's own training stood."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.2)
    table = tables["losses"]
    curves(axis, table, "step", "loss", "activation", say)
    means = table.groupby(["activation", "step"], as_index=False)["torch_loss"].mean()
    axis.plot(means["step"], means["torch_loss"], "o", ms=5, mfc="none", mec="0.25", label=say("figures.losses.torch"))
    label(axis, say("figures.losses.step"), say("figures.losses.loss"))
    return figure


def draw_flow(tables: Tables, say: Say) -> Figure:
    """Draw the share of the gradient's norm that each activation lets back, before and after training."""
    figure, axes = new_figure(1, 2, height=2.6)
    for number, (axis, stage) in enumerate(zip(axes[0], ("before", "after"))):
        dots(axis, select(tables["flow"], stage=stage), "passed", "activation", None if number else say)
        axis.axvline(QUARTER, color="0.5", lw=1)
        axis.set_xlim(0, 1.05)
        label(axis, say("figures.flow.passed"), "", name_of(stage, say), legend=False)
    return figure


FIGURES = {"losses": draw_losses, "flow": draw_flow}
SUMMARIES = {"flow": lambda tables: means(tables["flow"], ["activation", "stage"], [*PLACES, "passed"])}
