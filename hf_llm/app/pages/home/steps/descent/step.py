"""A neuron is trained: its loss after each step down the gradient, at a learning rate that the reader chooses."""

from itertools import pairwise

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import figure_data
from hf_llm.texts import text

INPUTS, WEIGHTS, BIAS, TARGET = (2.0, -1.0), (0.75, 0.5), -0.5, 3.0
STEPS, USUAL, TENFOLD = 20, 0.02, 0.2
ZIGZAG = 0.5  # of the steps: the output has changed sides of the target


def controls() -> dict:
    return {"rate": gr.Slider(0.005, 0.2, USUAL, step=0.005, label=t("descent.rate"))}


def descend(rate: float) -> tuple[list[float], list[float]]:
    """Return the loss and the output, before the first of `STEPS` and after each, of a neuron without an activation."""
    import torch

    from hf_llm.experiments.backprop.neuron import neuron

    x, y = (torch.tensor(each, dtype=torch.float64) for each in (INPUTS, TARGET))
    w, bias = torch.tensor(WEIGHTS, dtype=torch.float64), torch.tensor(BIAS, dtype=torch.float64)
    losses, outputs = [], []
    for _ in range(STEPS + 1):
        found = {row.quantity: row for row in neuron(x, w, bias, y, "identity", "squared")}
        losses.append(found["L"].value)
        outputs.append(found["a"].value)
        w = w - rate * torch.tensor([found["w1"].gradient, found["w2"].gradient], dtype=torch.float64)
        bias = bias - rate * found["b"].gradient
    return losses, outputs


def draw(at: At, *, rate: float) -> Seen:
    """Return the loss by step, and how it goes."""
    losses, outputs = descend(rate)
    sides = [output > TARGET for output in outputs]
    crossed = sum(one != other for one, other in pairwise(sides)) / STEPS
    how = "explodes" if losses[-1] > losses[0] else "zigzags" if crossed > ZIGZAG else "falls"
    caption, step = text("descent.losses", at.lang, rate=rate), text("descent.column.step", at.lang)
    lines = [Line(text("descent.column.loss", at.lang), list(enumerate(losses)))]
    axis = text("descent.log_axis" if how == "explodes" else "descent.axis", at.lang)
    drawn = line_chart(lines, caption, step, axis, at.lang, log=how == "explodes")
    records = [{"step": i, "loss": loss, "output": output} for i, (loss, output) in enumerate(zip(losses, outputs))]
    why = text(f"descent.why.{how}", at.lang, first=losses[0], last=losses[-1], steps=STEPS)
    tenfold, usual = descend(TENFOLD)[0][-1], descend(USUAL)[0][-1]
    right = "b" if tenfold > usual else "a"
    return Seen(drawn + figure_data("descent", records, "descent.column", caption, at.lang), why, right)


STEP = Step("descent", controls, draw, "foundations", (("lab", "backprop"),), sentence=False)
