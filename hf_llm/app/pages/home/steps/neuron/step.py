"""One neuron with weights that the reader moves: each product, their sum, and what the activation makes of it."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import table
from hf_llm.texts import number, text

INPUTS = (2.0, -1.0)
FUNCTIONS = ("identity", "relu", "sigmoid", "tanh", "gelu")
REACH = 6.0  # of the curve, to both sides of 0


def controls() -> dict:
    with gr.Row():
        weights = {
            name: gr.Slider(-2, 2, value, step=0.25, label=t(f"neuron.{name}"), min_width=120)
            for name, value in (("w1", 0.75), ("w2", 0.5), ("bias", -1.5))
        }
    chosen = [(t(f"neuron.function.{name}"), name) for name in FUNCTIONS]
    return {**weights, "activation": gr.Radio(chosen, value="relu", label=t("neuron.activation"))}


def draw(at: At, *, w1: float, w2: float, bias: float, activation: str) -> Seen:
    """Return the sum as a table, and the activation as a curve with the neuron's point on it."""
    import torch

    from hf_llm.experiments.backprop.neuron import neuron
    from hf_llm.experiments.shared.activation_functions import ACTIVATIONS

    numbers = (torch.tensor(each, dtype=torch.float64) for each in (INPUTS, (w1, w2), bias, 0.0))
    found = {row.quantity: row.value for row in neuron(*numbers, activation, "squared")}
    z, output = found["z"], found["a"]
    products = [
        {"what": text("neuron.product", at.lang, input=x, weight=w), "value": x * w} for x, w in zip(INPUTS, (w1, w2))
    ]
    last = {"sum": z, "output": output}
    rows = [*products, {"what": text("neuron.bias", at.lang), "value": float(bias)}]
    rows += [{"what": text(f"neuron.{name}", at.lang), "value": value} for name, value in last.items()]
    headings = {name: text(f"neuron.column.{name}", at.lang) for name in ("what", "value")}
    name = text(f"neuron.function.{activation}", at.lang)
    curve = torch.linspace(-REACH, REACH, 97, dtype=torch.float64)
    points = [*zip(curve.tolist(), ACTIVATIONS[activation].value(curve).tolist())]
    lines = [Line(name, points), Line(text("neuron.here", at.lang), [(z, output)], colour=1)]
    axes = (text("neuron.sum", at.lang), text("neuron.output", at.lang))
    drawn = table(rows, headings, text("neuron.steps", at.lang), at.lang)
    said = text("neuron.why.out", at.lang, sum=number(z, at.lang), output=number(output, at.lang), name=name)
    reason = activation if activation in ("identity", "relu") else "other"
    negative = float(ACTIVATIONS["relu"].value(torch.tensor(-1.0)))
    return Seen(
        f'<div class="side-by-side">{drawn}{line_chart(lines, text("neuron.curve", at.lang), *axes, at.lang)}</div>',
        f"{said} {text(f'neuron.why.{reason}', at.lang)}",
        "b" if negative == 0 else "a",
    )


STEP = Step("neuron", controls, draw, "foundations", (("lab", "activations"),), sentence=False)
