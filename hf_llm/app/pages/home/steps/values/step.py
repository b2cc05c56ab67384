"""The values: what a head carries to the last token, as a weighted sum, and the same without one token's values."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.pages.home.views import pairs
from hf_llm.app.pages.inside.vectors import rows_of_numbers
from hf_llm.app.views import folded, paragraph, tokens
from hf_llm.texts import number, percent, text

TERMS = 3  # of the sum that are shown, those with the most weight
SAME = 1e-6  # of weights
AUTOMATIC = -1
LAYERS = 12  # of the largest model that the slider is made for; a smaller one has its last layer


def controls() -> dict:
    return {
        "layer": gr.Slider(0, LAYERS - 1, 0, step=1, label=t("values.layer")),
        # Gradio shows what is hidden in a column that is hidden, once the column is shown
        "key": gr.Number(AUTOMATIC, precision=0, visible="hidden", label="key", elem_classes="internal"),
    }


def draw(at: At, *, layer: float, key: float) -> Seen:
    """Return the last token's weights, the sum of weighted values with and without one, and what follows from it."""
    from hf_llm.explain.value_off import value_off

    reading = at.reading
    layer = min(int(layer), reading.n_layer - 1)
    found = value_off(reading, layer, int(key) if 0 <= int(key) < reading.T else None)
    labels, chosen = reading.labels, reading.labels[found.key]
    weights = found.weights.tolist()
    looks = text("values.looks", at.lang, token=labels[-1], head=found.head, layer=layer)
    row = tokens(labels, [number(weight, at.lang, ".2f") for weight in weights], found.key, weights)
    names = {"token": chosen, "head": found.head}
    most = sorted({*found.weights.topk(min(TERMS, reading.T)).indices.tolist(), found.key})
    rows = {
        text("values.term", at.lang, weight=weights[i], token=labels[i], position=i): weights[i] * found.v[i]
        for i in most
    }
    rows |= {
        text("values.sum", at.lang, count=reading.T): found.mixed,
        text("values.without", at.lang, **names): found.mixed_without,
    }
    moved = (found.before - found.after).abs().sum().item() / 2
    likely = {one["id"]: one["text"] for one in [*reading.likely(found.before, 5), *reading.likely(found.after, 2)]}
    compared = [(label, found.before[id].item(), found.after[id].item()) for id, label in likely.items()]
    headings = text("values.before", at.lang), text("values.after", at.lang, **names)
    sums = rows_of_numbers(rows, text("values.sums", at.lang, **names), at.lang)
    numbers = folded(text("values.numbers", at.lang), sums)
    drawn = paragraph(looks) + row + pairs(compared, headings, text("values.next", at.lang), at.lang) + numbers
    stays = found.moved_weights < SAME
    changed = float((found.mixed - found.mixed_without).abs().max()) > SAME
    why = text("values.why", at.lang, token=chosen, weight=weights[found.key], moved=percent(moved, at.lang))
    return Seen(drawn, why, "b" if stays and changed else "a" if not stays else None)


STEP = Step("values", controls, draw, "inside", (("part", "vectors"), ("place", "mixed")), needs="gpt2", layered=True)
