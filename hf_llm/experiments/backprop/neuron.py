"""One neuron with numbers that can be followed with a pencil: forward, backward, and autograd's gradients beside.

gradient of a quantity = local derivative × gradient of the next quantity: see `two_layer_net`.
"""

from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.experiments.backprop.moons import ROUNDING
from hf_llm.experiments.frame import Finding, Say, Study, Tables, exact, select
from hf_llm.experiments.frame.charts import COLOURS, Figure, new_figure
from hf_llm.experiments.shared.activation_functions import ACTIVATIONS
from hf_llm.texts import number

X, W, B, Y = (2.0, -1.0), (0.75, 0.5), -0.5, 1.0
NEURONS = [("sigmoid", "squared"), ("sigmoid", "cross_entropy"), ("relu", "squared")]  # activation, loss
TORCH_ACTIVATIONS = {"sigmoid": torch.sigmoid, "relu": torch.relu}
TORCH_LOSSES = {"squared": nn.functional.mse_loss, "cross_entropy": nn.functional.binary_cross_entropy}


class Quantity(NamedTuple):
    """One number of a neuron's computation."""

    quantity: str  # what it is: w1, w2, …, b, x1, x2, …, then weighted sum z, output a and loss L
    value: float  # from the forward pass
    local_derivative: float  # of the next quantity with respect to this one
    gradient: float  # of the loss with respect to it: local_derivative × the next quantity's gradient


def neuron(x: Tensor, w: Tensor, b: Tensor, y: Tensor, activation: str, loss: str) -> list[Quantity]:
    """Compute one neuron and its loss forward, and all gradients backward.

    Args:
        x, w, b, y: Inputs and weights, (n,), bias and target, numbers; the target is 0 or 1 for the cross-entropy.
        activation: Key of `ACTIVATIONS`. The cross-entropy wants outputs between 0 and 1, that is the sigmoid.
        loss: "squared" for (a − y)², or "cross_entropy" for −y ln a − (1 − y) ln(1 − a).
    """
    # forward: each line uses the ones before it
    z = (w * x).sum() + b
    a = ACTIVATIONS[activation].value(z)
    if loss == "squared":
        L, dL_da = (a - y) ** 2, 2 * (a - y)
    else:
        L = -(y * torch.log(a) + (1 - y) * torch.log(1 - a))
        dL_da = (a - y) / (a * (1 - a))

    # backward: each line uses the ones before it, from the loss on
    da_dz = ACTIVATIONS[activation].derivative(z)
    dL_dz = da_dz * dL_da
    dz_dw, dz_dx, dz_db = x, w, torch.ones_like(b)  # z = w·x + b, differentiated by each of its parts
    dL_dw, dL_dx, dL_db = dz_dw * dL_dz, dz_dx * dL_dz, dz_db * dL_dz

    rows = [
        *((f"w{i}", *of_one) for i, of_one in enumerate(zip(w, dz_dw, dL_dw), 1)),
        ("b", b, dz_db, dL_db),
        *((f"x{i}", *of_one) for i, of_one in enumerate(zip(x, dz_dx, dL_dx), 1)),
        ("z", z, da_dz, dL_dz),
        ("a", a, dL_da, dL_da),
        ("L", L, torch.ones(()), torch.ones(())),
    ]
    return [Quantity(name, *map(float, numbers)) for name, *numbers in rows]


def autograd_of_neuron(activation: str, loss: str) -> list[float]:
    """Return the gradients of the example neuron by autograd, in the order of `neuron`."""
    x, w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (X, W, B))
    z = w @ x + b
    a = TORCH_ACTIVATIONS[activation](z)
    L = TORCH_LOSSES[loss](a, torch.tensor(Y, dtype=torch.float64))
    for intermediate in (z, a, L):
        intermediate.retain_grad()
    L.backward()
    return torch.cat([quantity.grad.reshape(-1) for quantity in (w, b, x, z, a, L)]).tolist()


def measure(study: Study) -> Tables:
    """Write the example neuron out with each activation and loss; it has no seed."""
    rows = []
    for activation, loss in study.track(NEURONS):
        by_hand = neuron(*(torch.tensor(v, dtype=torch.float64) for v in (X, W, B, Y)), activation, loss)
        rows += [
            {"activation": activation, "loss": loss, **ours._asdict(), "autograd": theirs}
            for ours, theirs in zip(by_hand, autograd_of_neuron(activation, loss))
        ]
    return {"neuron": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["neuron"]
    return [exact("neuron", (table["gradient"] - table["autograd"]).abs().max(), ROUNDING, "below")]


# where the quantities stand in the picture of the neuron, and which one each of them leads to
POSITIONS = {"x1": (0, 4), "w1": (0, 3), "x2": (0, 2), "w2": (0, 1), "b": (0, 0), "z": (2, 2), "a": (4, 2), "L": (6, 2)}
NEXT = {"x1": "z", "w1": "z", "x2": "z", "w2": "z", "b": "z", "z": "a", "a": "L"}
FORMULAS = {"z": "w1·x1 + w2·x2 + b", "a": "σ(z)", "L": "(a − y)²"}


def draw(tables: Tables, say: Say) -> Figure:
    """Draw each quantity of the sigmoid with squared error as a box: its value above, its gradient below."""
    figure, ((axis,),) = new_figure(width=8.6, height=4.6)
    rows = select(tables["neuron"], activation="sigmoid", loss="squared").set_index("quantity")
    shown = rows.map(lambda value: number(value, say.lang) if isinstance(value, float) else value)
    forward, backward = COLOURS[:2]

    def write(x: float, y: float, said: str, colour: str = "0.3", side: str = "center") -> None:
        axis.text(x, y, said, ha="center", va=side, fontsize=9.5, color=colour)

    for name, (x, y) in POSITIONS.items():
        box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": "0.4"}
        axis.text(x, y, f"  {name}  ", ha="center", va="center", fontsize=12, style="italic", bbox=box)
        write(x, y + 0.26, shown["value"][name], forward, "bottom")
        write(x, y - 0.26, shown["gradient"][name], backward, "top")
        if name in NEXT:
            arrow = {"arrowstyle": "->", "color": "0.6", "shrinkA": 20, "shrinkB": 20}
            axis.annotate("", POSITIONS[NEXT[name]], (x, y), arrowprops=arrow, zorder=0)
    for name, formula in FORMULAS.items():
        write(POSITIONS[name][0], 2.8, f"{name} = {formula}", forward)
    for name, x in (("z", 3), ("a", 5)):  # the factors on the way back
        write(x, 1.2, f"← × ∂{NEXT[name]}/∂{name} = {shown['local_derivative'][name]}", backward)
    write(4, 0.0, say("figures.neuron.legend"))
    axis.set(xlim=(-0.6, 6.9), ylim=(-0.6, 4.6))
    axis.axis("off")
    return figure


FIGURES = {"neuron": draw}
