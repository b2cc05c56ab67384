"""The attention of a layer drawn: all its heads, the map of one step by step, and one cell written out."""

from html import escape
from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.views import data, picture, typical
from hf_llm.app.views import choice, figure, heat_map, message, paragraph, tokens
from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    from torch import Tensor

TERMS_SHOWN = 3  # of a sum of products
NUMBERED = 14  # tokens up to which the cells of a map show their numbers
STEPS = {"product": "products", "scale": "scores", "mask": "masked_scores", "softmax": "weights"}


def heads(found: dict, maps: "Tensor", lang: Language) -> str:
    """Return a picture for each head of the layer as a button, with where the head looks on average.

    Args:
        found: What `inspect` returned.
        maps: The weights of all heads, shape (n_head, T, T).
        lang: The reader's.
    """
    caption = text("inside.heads", lang, layer=found["layer"])
    items = []
    for habits, weights in zip(found["heads"], maps, strict=True):
        head = habits["head"]
        shares = "".join(
            f"<small>{escape(text(f'inside.{name}', lang))} {number(habits[name], lang, '.2f')}</small>"
            for name in ("first", "previous", "itself")
        )
        name = escape(text("inside.head_number", lang, head=head))
        content = f"{picture(weights, '', largest=1.0)}<span>{name}</span>{shares}"
        items.append(f"<li>{choice(head, content, head == found['head'], 'head')}</li>")
    drawn = figure(f'<ol class="tokens" data-arrows>{"".join(items)}</ol>', caption, lang)
    return drawn + data("heads", found["heads"], caption, lang)


def step_map(found: dict, step: str, lang: Language) -> str:
    """Return one step of the attention of the chosen head, (T, T): rows look, columns are looked at."""
    labels = [one["text"] for one in found["tokens"]]
    values = found["attention"][STEPS[step]]
    caption = text(f"inside.map.{step}", lang, layer=found["layer"], head=found["head"])
    records = [
        {"key_position": key, "key_text": labels[key], "value": value}
        for key, value in enumerate(values[found["token"]])
    ]
    drawn = heat_map(
        values, labels, labels, caption, lang, chosen=(found["token"], found["key"]),
        largest=1.0 if step == "softmax" else typical(values), numbers=len(labels) <= NUMBERED,
    )  # fmt: skip
    return drawn + data("attention", records, text("inside.row", lang, token=labels[found["token"]]), lang)


def cell(found: dict, lang: Language) -> str:
    """Return the chosen token's row of weights over the text, and the arithmetic of the chosen cell."""
    cell, labels = found["cell"], [one["text"] for one in found["tokens"]]
    token, key = found["token"], found["key"]
    row = found["attention"]["weights"][token]  # None where masked
    names = {"token": labels[token], "looked": labels[key], "position": token, "key_position": key}
    factors = [f"({number(q, lang)} × {number(k, lang)})" for q, k in zip(cell["query"], cell["key"])]
    terms = " + ".join([*factors[:TERMS_SHOWN], *(["…"] if len(factors) > TERMS_SHOWN else [])])
    masked = cell["score"] is None
    arithmetic = {name: value for name, value in cell.items() if not isinstance(value, list)}
    values = {**names, **arithmetic, "size": len(factors), "terms": terms, "scaled": cell["product"] / cell["scale"]}
    steps = ("product", "scale", "masked", "nothing") if masked else ("product", "scale", "visible", "softmax")
    lines = "".join(f"<li>{escape(text(f'inside.cell.{step}', lang, **values))}</li>" for step in steps)
    caption = text("inside.cell.title", lang, **names)
    records = [
        {"dimension": i, "query": q, "key": k, "product": product}
        for i, (q, k, product) in enumerate(zip(cell["query"], cell["key"], cell["products"]))
    ]
    return (
        paragraph(text("inside.looks", lang, **names))
        + tokens(labels, [_weight(weight, lang) for weight in row], key, [weight or 0.0 for weight in row])
        + message(text("inside.sums_to", lang, sum=sum(weight or 0.0 for weight in row)))
        + f"<h3>{escape(caption)}</h3><ol class='steps'>{lines}</ol>"
        + data("cell", records, caption, lang)
    )


def _weight(weight: float | None, lang: Language) -> str:
    return text("app.masked", lang) if weight is None else number(weight, lang, ".2f")
