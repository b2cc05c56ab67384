"""Does it matter that an activation's outputs have mean zero?

Comparing tanh with the sigmoid does not answer that, since they differ in slope and range as well. So each is compared
with itself, moved: tanh(z) with 1 + tanh(z), and σ(z) with σ(z) − ½. Slope and saturation are those of its twin, and
the next layer's biases start where they cancel the move, so that both nets compute the same function at the start.
What differs is the mean of what the next layer gets as its input, and with it the gradients of its weights, which
share a large common part (LeCun et al. 1998, "Efficient BackProp", section 4.3).
"""

import math
from collections.abc import Callable
from itertools import pairwise, product

import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, exact
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.toy_data import batches, digits

SIZES = (64, 64, 64, 10)  # pixels, two hidden layers, classes
BATCH = 64
RATES = (1.0, 3.0), (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # in the short and in the full version
STEPS = (60, 300)  # of a training, in the short and in the full version
POINTS = 20  # of a loss curve
# {name: (the centred function, what is added to it)}
VARIANTS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "tanh": (torch.tanh, 0.0),
    "tanh_moved": (torch.tanh, 1.0),
    "sigmoid_centred": (lambda z: torch.sigmoid(z) - 0.5, 0.0),
    "sigmoid": (lambda z: torch.sigmoid(z) - 0.5, 0.5),
}


def measure(study: Study) -> Tables:
    """Train each variant at each rate."""
    cells = product(VARIANTS, study.pick(*RATES), study.seeds)
    rows = [row for cell in study.track(cells) for row in centring_curve(*cell, study.pick(*STEPS))]
    return {"centring": pd.DataFrame(rows)}


class MovedNet(nn.Module):
    """A net of linear layers whose hidden outputs are `centred(z) + move`.

    The outputs of `centred` have mean zero for inputs with mean zero; the seed draws the same weights for every `move`.
    """

    def __init__(self, centred: Callable[[Tensor], Tensor], move: float, seed: int):
        super().__init__()
        self.centred, self.move = centred, move
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairwise(SIZES))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer in self.layers:  # as nn.Linear does, but for the generator
                for parameter in layer.parameters():
                    parameter.uniform_(-1, 1, generator=generator).div_(math.sqrt(layer.in_features))
            for layer in self.layers[1:]:
                layer.bias -= move * layer.weight.sum(dim=1)  # W (a + move) + b − W move = W a + b

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = self.centred(layer(x)) + self.move  # (B, 64)
        return self.layers[-1](x)  # (B, 10)


def centring_curve(variant: str, rate: float, seed: int, steps: int) -> list[dict]:
    """Train by SGD and return the loss on all training images at `POINTS` steps, and after the last one."""
    x, labels = digits()["training"]
    x = x - x.mean(dim=0)  # the input is centred for all of them
    net = MovedNet(*VARIANTS[variant], seed).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    rows = []

    @torch.no_grad()
    def look(step: int) -> None:
        loss = nn.functional.cross_entropy(net(x), labels).item()
        rows.append({"variant": variant, "rate": rate, "seed": seed, "step": step, "loss": loss})

    for step, batch in enumerate(batches(len(x), BATCH, steps, seed)):
        if step % (steps // POINTS) == 0:
            look(step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[batch]), labels[batch]).backward()
        optimizer.step()
    look(steps)
    return rows


def at_the_end(tables: Tables) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the rows of the last step, and the rate of each variant that ends with the lowest loss."""
    table = tables["centring"]
    last = table[table["step"] == table["step"].max()]
    return last, best(last, "rate", "loss", by=["variant"]).set_index("variant")["rate"].to_dict()


def findings(tables: Tables) -> list[Finding]:
    last, chosen = at_the_end(tables)

    def loss(variant: str, rate: float | None = None):
        return by_seed(last, "loss", variant=variant, rate=rate or chosen[variant])

    smallest = last["rate"].min()
    ratios = {
        "tanh_moved": loss("tanh_moved") / loss("tanh"),
        "sigmoid_moved": loss("sigmoid") / loss("sigmoid_centred"),
        "only_centring": loss("sigmoid_centred") / loss("tanh"),
        "moved_small_rate": loss("tanh_moved", smallest) / loss("tanh", smallest),
    }
    larger = exact("larger_rate", chosen["tanh"] / chosen["tanh_moved"], 1.0)
    return [*(above(key, ratio, 1.0, "log") for key, ratio in ratios.items()), larger]


def quantities(tables: Tables) -> dict:
    """Return the best rate of each variant, `rate_<variant>`, and the smallest rate of the grid."""
    rates = {f"rate_{variant}": float(rate) for variant, rate in at_the_end(tables)[1].items()}
    return {**rates, "smallest_rate": float(tables["centring"]["rate"].min())}


def draw(tables: Tables, say: Say) -> Figure:
    """The loss of each variant at its best rate."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.2)
    table = tables["centring"]
    chosen = at_the_end(tables)[1]
    curves(axis, table[table["rate"] == table["variant"].map(chosen)], "step", "loss", "variant", say)
    axis.set_yscale("log")
    label(axis, say("figures.centring.step"), say("figures.centring.loss"))
    return figure


FIGURES = {"centring": draw}
