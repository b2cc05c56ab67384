"""The mask: where a head would look without it, and what the earlier predictions do when the last token is another."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import ROUNDING, At, Seen, Step, logits_moved
from hf_llm.app.views import heat_map
from hf_llm.config import require
from hf_llm.texts import both, text

MASKS = ("with", "without")
NUMBERED = 8  # tokens up to which cells show their numbers


def controls() -> dict:
    masks = [(t(f"mask.choice.{name}"), name) for name in MASKS]
    return {"mask": gr.Radio(masks, value="with", label=t("mask.choices"))}


def draw(at: At, *, mask: str) -> Seen:
    """Return the weights of the head that would look furthest ahead, with the mask or without it."""
    import torch

    reading = at.reading
    require(reading.T > 2, both("mask.too_short"))
    layers = range(reading.n_layer)
    _, seen = reading.model(reading.ids, capture=["layer.*.attention.scores", "layer.*.attention.weights"])
    scores = torch.cat([seen[f"layer.{i}.attention.scores"] for i in layers])  # (n_layer, n_head, T, T)
    weights = torch.cat([seen[f"layer.{i}.attention.weights"] for i in layers])
    unmasked = scores.softmax(-1)
    ahead = unmasked.triu(1).sum((-2, -1)) / reading.T  # (n_layer, n_head): of a token's weight, on those after it
    layer, head = divmod(int(ahead.argmax()), reading.n_head)
    shown = (weights if mask == "with" else unmasked)[layer, head].tolist()
    if mask == "with":
        shown = [row[: i + 1] + [None] * (reading.T - i - 1) for i, row in enumerate(shown)]
    caption = text(f"mask.map.{mask}", at.lang, layer=layer, head=head)
    labels, numbers = reading.labels, reading.T <= NUMBERED
    drawn = heat_map(shown, labels, labels, caption, at.lang, largest=1.0, numbers=numbers)
    moved = last_replaced(reading)
    why = text("mask.why", at.lang, ahead=float(ahead.max()), moved=logits_moved(moved, at.lang), tokens=reading.T - 1)
    return Seen(f'<div class="fine">{drawn}</div>', why, "c" if moved < ROUNDING else "a")


def last_replaced(reading) -> float:
    """Return by how much any logit at the earlier positions moves when the last token is replaced by another."""
    ids = reading.ids.clone()  # (1, T)
    ids[0, -1] = (ids[0, -1] + 1) % reading.model.wte.num_embeddings
    logits = reading.model(ids)[0][0]  # (T, vocab_size)
    return float((logits[:-1] - reading.logits[:-1]).abs().max())


STEP = Step("mask", controls, draw, "inside", (("part", "attention"), ("step", "mask")), needs="gpt2")
