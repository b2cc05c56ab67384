"""The activations and their derivatives on a grid: what they let through at most, and what GPT-2's GELU is off by."""

import pandas as pd
import torch

from hf_llm.experiments.frame import Finding, Say, Study, Tables, exact, select
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure, style
from hf_llm.experiments.shared.activation_functions import ACTIVATIONS

NAMES = ("sigmoid", "tanh", "relu", "gelu", "gelu_tanh")
GRID = torch.linspace(-6, 6, 121, dtype=torch.float64)  # 0 is among them
ROUNDING = 1e-12
QUARTER = 0.25
CLOSE = 1e-3  # what GPT-2's approximation of GELU may be off by


def measure(study: Study) -> Tables:
    """Tabulate each function, its derivative as written by hand, and its derivative by autograd."""
    tables = []
    for name in NAMES:
        z = GRID.clone().requires_grad_()
        ACTIVATIONS[name].value(z).sum().backward()
        tables.append(pd.DataFrame({
            "activation": name, "z": GRID, "value": ACTIVATIONS[name].value(GRID),
            "derivative": ACTIVATIONS[name].derivative(GRID), "autograd": z.grad,
        }))  # fmt: skip
    return {"functions": pd.concat(tables, ignore_index=True)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["functions"]
    sigmoid, _, relu, gelu, gelu_tanh = (select(table, activation=name) for name in NAMES)
    off = abs(gelu["value"].to_numpy() - gelu_tanh["value"].to_numpy()).max()
    return [
        exact("quarter", sigmoid["derivative"].max(), QUARTER, "within"),
        exact("positive", (relu[relu["z"] > 0]["derivative"] - 1).abs().max(), 0.0, "within"),
        exact("derivatives", (table["derivative"] - table["autograd"]).abs().max(), ROUNDING, "below"),
        exact("dip", gelu["derivative"].min(), 0.0, "below"),
        exact("approximation", off, CLOSE, "below"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The functions on the left and their derivatives on the right."""
    figure, ((left, right),) = new_figure(1, 2)
    for number, name in enumerate(NAMES[:-1]):  # GPT-2's approximation lies on GELU's line to the eye
        rows = select(tables["functions"], activation=name)
        left.plot(rows["z"], rows["value"], lw=1.8, label=name_of(name, say), **style(number))
        right.plot(rows["z"], rows["derivative"], lw=1.8, **style(number))
    left.set_ylim(-1.2, 3)
    label(left, "z", "f(z)", say("figures.functions.value"))
    label(right, "z", "f′(z)", say("figures.functions.derivative"), legend=False)
    return figure


FIGURES = {"functions": draw}
