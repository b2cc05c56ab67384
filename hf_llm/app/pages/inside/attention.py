"""The attention of a layer drawn: all its heads, the map of one step by step, and one cell written out."""

from html import escape
from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.figure import data, picture, typical
from hf_llm.app.texts import Language, text
from hf_llm.app.views import heat_map, message, number, tokens

if TYPE_CHECKING:
    from torch import Tensor

TERMS_SHOWN = 3  # of a sum of products
NUMBERED = 14  # tokens up to which the cells of a map have room for their numbers
STEPS = {"product": "products", "scale": "scores", "mask": "masked_scores", "softmax": "weights"}


def draw_heads(found: dict, maps: "Tensor", lang: Language) -> str:
    """Return a picture for each head of the layer as a button, with where the head looks in words and numbers.

    Args:
        found: What `inspect` returned.
        maps: The weights of all heads, shape (n_head, T, T).
    """
    caption = text("inside.heads", lang, layer=found["layer"])
    items = []
    for habits, weights in zip(found["heads"], maps, strict=True):
        head = habits["head"]
        shares = "".join(
            f"<small>{escape(text(f'inside.{name}', lang))} {number(habits[name], lang, 2)}</small>"
            for name in ("first", "previous", "itself")
        )
        items.append(
            f'<li><button type="button" class="head" data-choose="{head}"'
            f' aria-pressed="{str(head == found["head"]).lower()}">{picture(weights, "")}'
            f"<span>{escape(text('inside.head_number', lang, head=head))}</span>{shares}</button></li>"
        )
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<ol class="tokens" data-arrows>{"".join(items)}</ol></figure>' + data("heads", found["heads"], caption, lang)
    )


def draw_map(found: dict, step: str, lang: Language) -> str:
    """Return one step of the attention of the chosen head, (T, T): rows look, columns are looked at."""
    labels = [one["text"] for one in found["tokens"]]
    values = found["attention"][STEPS[step]]
    caption = text(f"inside.map_{step}", lang, layer=found["layer"], head=found["head"])
    records = [
        {"key_position": key, "key_text": labels[key], "value": value}
        for key, value in enumerate(values[found["token"]])
    ]
    drawn = heat_map(
        values, labels, labels, caption, lang, chosen=(found["token"], found["key"]),
        largest=typical(values), numbers=len(labels) <= NUMBERED,
    )  # fmt: skip
    return drawn + data("attention", records, text("inside.row", lang, token=labels[found["token"]]), lang)


def draw_cell(found: dict, lang: Language) -> str:
    """Return the chosen token's row of weights over the text, and the arithmetic of the chosen cell."""
    cell, labels = found["cell"], [one["text"] for one in found["tokens"]]
    token, key = found["token"], found["key"]
    row = [weight or 0.0 for weight in found["attention"]["weights"][token]]
    names = {"token": labels[token], "looked": labels[key], "position": token, "key_position": key}

    def n(value: float) -> str:
        return number(value, lang)

    terms = " + ".join(f"({n(q)} × {n(k)})" for q, k in list(zip(cell["query"], cell["key"]))[:TERMS_SHOWN])
    terms += " + …" if len(cell["query"]) > TERMS_SHOWN else ""
    scaled, size = cell["product"] / cell["scale"], len(cell["query"])
    lines = [
        text("inside.cell_product", lang, size=size, terms=terms, product=n(cell["product"])),
        text("inside.cell_scale", lang, size=size, product=n(cell["product"]), scale=n(cell["scale"]), score=n(scaled)),
        text("inside.cell_masked" if cell["score"] is None else "inside.cell_visible", lang, **names),
    ]
    if cell["score"] is None:
        lines.append(text("inside.cell_nothing", lang))
    else:
        lines.append(
            text("inside.cell_softmax", lang, score=n(cell["score"]), largest=n(cell["largest"]),
                 exponential=n(cell["exponential"]), sum=n(cell["sum"]), weight=n(cell["weight"]))
        )  # fmt: skip
    caption = text("inside.cell", lang, **names)
    records = [
        {"dimension": i, "query": q, "key": k, "product": product}
        for i, (q, k, product) in enumerate(zip(cell["query"], cell["key"], cell["products"]))
    ]
    largest = max(row)
    return (
        f"<p>{escape(text('inside.looks', lang, **names))}</p>"
        + tokens(labels, [number(weight, lang, 2) for weight in row], key, [weight / largest for weight in row])
        + message(text("inside.sums_to", lang, sum=n(sum(row))))
        + f"<h3>{escape(caption)}</h3><ol class='steps'>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ol>"
        + data("cell", records, caption, lang)
    )
