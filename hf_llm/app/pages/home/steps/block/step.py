"""The block: one of its parts is switched off, the rest goes on; the picture shows the whole model at work."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.pages.home.views import pairs
from hf_llm.app.pages.inside.model_picture import pictured
from hf_llm.app.pages.inside.picture_parts import Chosen
from hf_llm.app.views import message
from hf_llm.texts import percent, text

PARTS = ("head", "heads", "mlp")
OFF = ("nothing", *PARTS)
SHOWN = 6  # of the likeliest tokens
LAYERS = 12  # of the largest model that the slider is made for; a smaller one has its last layer


def controls() -> dict:
    parts = [(t("block.head" if name == "head" else f"inside.off.{name}"), name) for name in OFF]
    return {
        "off": gr.Radio(parts, value="mlp", label=t("inside.switch_off")),
        "layer": gr.Slider(0, LAYERS - 1, 0, step=1, label=t("values.layer")),
    }


def draw(at: At, *, off: str, layer: float) -> Seen:
    """Return the next token with and without the part, and the picture of the model without it."""
    from hf_llm.explain.what_if import switched_off

    reading, head = at.reading, 0
    layer = min(int(layer), reading.n_layer - 1)
    without = {part: switched_off(reading, layer, head, part) for part in PARTS}
    moved = {part: one["moved"] for part, one in without.items()}
    part = None if off == "nothing" else off
    chosen = Chosen(layer, head, token=reading.T - 1, off=part)
    drawn = ""
    if part:
        likely = without[part]["next"]
        favourite = max(likely, key=lambda row: row["after"])  # now; before it may have been an unlikely one
        shown = likely[:SHOWN] if favourite in likely[:SHOWN] else [*likely[:SHOWN], favourite]
        rows = [(row["text"], row["before"], row["after"]) for row in shown]
        headings = text("values.before", at.lang), text("inside.column.after", at.lang)
        drawn = message(text("inside.moved", at.lang, moved=moved[part]))
        drawn += pairs(rows, headings, text("values.next", at.lang), at.lang)
    picture, _ = pictured(reading, chosen, at.lang)
    names = {part: text("block.head" if part == "head" else f"inside.off.{part}", at.lang) for part in PARTS}
    most = max(PARTS, key=moved.get)
    in_first = moved if layer == 0 else {part: switched_off(reading, 0, head, part)["moved"] for part in PARTS}
    right = "abc"[PARTS.index(max(PARTS, key=in_first.get))]
    shares = {f"{part}_share": percent(moved[part], at.lang) for part in PARTS}
    why = text("block.why", at.lang, layer=layer, most=names[most], **shares)
    return Seen(drawn, why, right, f'<div class="wide-only">{picture}</div>')


STEP = Step("block", controls, draw, "inside", (("part", "off"),), needs="gpt2", layered=True)
