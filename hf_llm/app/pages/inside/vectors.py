"""The vectors of one token at one place of the opened layer, a row each, from what enters to what leaves."""

from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.colour_scale import STEPS, shade
from hf_llm.app.views import figure_data, grid, message, paragraph
from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    from torch import Tensor

    from hf_llm.explain.strips import Strips

SHOWN = 8  # numbers of a vector, as many as fit beside the picture; all of them stand in the data
PLACES = {  # and the strips that it is seen in
    "attention_norm": ("before", "attention_norm"),
    "qkv": ("q", "k", "v"),
    "mixed": ("mixed",),  # behind the values that are summed
    "side_by_side": ("side_by_side",),  # a row for each head
    "projection": ("side_by_side", "projection"),
    "mid": ("before", "projection", "mid"),
    "mlp_norm": ("mid", "mlp_norm"),
    "mlp_output": ("neurons", "mlp_output"),
    "output": ("mid", "mlp_output", "output"),
    "final_norm": ("final_norm",),
}


def vectors(
    found: "Strips", place: str, labels: list[str], layer: int, head: int, token: int, lang: Language
) -> str:  # fmt: skip
    """Return what a place holds, in a sentence, and the chosen token's vectors there."""
    caption = text("inside.vectors", lang, token=labels[token], position=token)
    sentence = text(f"inside.holds.{place}", lang, layer=layer, head=head)
    return paragraph(f"{sentence}.") + rows_of_numbers(_rows(found, place, labels, token, lang), caption, lang)


def _rows(found: "Strips", place: str, labels: list[str], token: int, lang: Language) -> "dict[str, Tensor]":
    """Return {name: vector}."""
    rows = {}
    if place == "mixed":
        for key in range(token + 1):  # a token does not see those after it
            weight = found.softmax[token, key]
            name = text("inside.weighted", lang, weight=weight.item(), token=labels[key], position=key)
            rows[name] = weight * found.v[key]
    if place == "side_by_side":
        heads = found.side_by_side[token].unflatten(0, (len(found.every_head), -1))  # (n_head, head_size)
        return {text("inside.head_number", lang, head=head): vector for head, vector in enumerate(heads)}
    return rows | {_name(strip, lang): getattr(found, strip)[token] for strip in PLACES[place]}


def _name(strip: str, lang: Language) -> str:
    """Return the name of a strip: the longer one of its place, where it is alone there."""
    return text(f"inside.stage.{strip}" if strip in PLACES else f"inside.strip.{strip}", lang)


def rows_of_numbers(rows: "dict[str, Tensor]", caption: str, lang: Language) -> str:
    """Return vectors as a table of their first numbers, shaded as the picture is, and all of them as data."""
    vectors = {name: vector.tolist() for name, vector in rows.items()}
    size = max(map(len, vectors.values()))
    shown = [vector[:SHOWN] for vector in vectors.values()]
    cells = [
        [
            f'<td class="shade{" minus" if value < 0 else ""}" style="--shade:{abs(shade(value)) / len(STEPS):.3f}">'
            f"{number(value, lang, '.3f')}</td>"
            for value in vector
        ]
        for vector in shown
    ]
    columns = [str(i) for i in range(max(map(len, shown)))]
    records = [
        {"dimension": i, **{name: vector[i] if i < len(vector) else None for name, vector in vectors.items()}}
        for i in range(size)
    ]
    headings = {"dimension": text("inside.column.dimension", lang), **{name: name for name in vectors}}
    return (
        grid(list(vectors), columns, cells, caption, "heat vectors", lang)
        + message(text("inside.vectors_cut", lang, shown=len(columns), size=size))
        + figure_data("vectors", records, headings, caption, lang)
    )
