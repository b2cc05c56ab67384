"""What the page inside a GPT-2 draws: tokens, embeddings, stream, MLP, the next token by layer and with a part off.

Each function takes what `hf_llm.explain` returned. The attention is drawn in attention.py.
"""

import io
from collections.abc import Sequence
from html import escape
from statistics import median
from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.vectors import rows_of_numbers
from hf_llm.app.views import bar, bars, choice, figure, figure_data, grid, image, message, paragraph, savable, tokens
from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    from torch import Tensor

    from hf_llm.explain.strips import Strips


def cut(read: dict, lang: Language) -> str:
    """Return how much of a long text was left out; nothing for a short one."""
    left_out, most = read["left_out"], len(read["tokens"])
    if not left_out:
        return ""
    return message(text("inside.cut", lang, left_out=left_out, most=most, context=read["n_positions"]), "bad")


def following(found: dict, lang: Language) -> str:
    """Return the likeliest tokens after the chosen one."""
    label, rest = found["tokens"][found["token"]]["text"], found["tokens"][found["token"] + 1 :]
    caption = text("inside.next", lang, token=label, position=found["token"])
    really = message(text("inside.really", lang, token=rest[0]["text"])) if rest else ""
    return _likely(found["next"], caption, lang) + really + data("next", found["next"], caption, lang)


def _likely(rows: list[dict], caption: str, lang: Language) -> str:
    return bars([row["text"] for row in rows], [row["probability"] for row in rows], caption, lang)


def lens(found: dict, token: int, lang: Language) -> str:
    """Return the likeliest next token after each layer: for the chosen token in full, for all others the first."""
    labels, layers = [one["text"] for one in found["tokens"]], found["layers"]
    names = [
        text("inside.after.embedding", lang)
        if layer["layer"] is None
        else text("inside.layer_number", lang, layer=layer["layer"])
        for layer in layers
    ]
    answer = layers[-1]["likely"][token][0]["text"]
    rising = text("inside.rising", lang, token=labels[token], position=token, answer=answer)
    bar_names = [f"{name} · {layer['likely'][token][0]['text']}" for name, layer in zip(names, layers)]
    records = [
        {"layer": name, "rank": rank, **one}
        for name, layer in zip(names, layers)
        for rank, one in enumerate(layer["likely"][token], 1)
    ]

    def cell(depth: int, position: int, favourite: dict) -> str:
        shown = f"<bdi>{escape(favourite['text'])}</bdi><small>{number(favourite['probability'], lang, '.2f')}</small>"
        shade = f'style="--shade:{favourite["probability"]:.3f}"'
        return f"<td>{choice(f'{depth},{position}', shown, position == token, 'cell', shade)}</td>"

    cells = [
        [cell(depth, position, one[0]) for position, one in enumerate(layer["likely"])]
        for depth, layer in enumerate(layers)
    ]
    return (
        bars(bar_names, [layer["final"][token] for layer in layers], rising, lang)
        + data("lens", records, rising, lang)
        + grid(names, labels, cells, text("inside.lens", lang), "heat lens", lang)
    )


def off(found: dict, part: str, layer: int, head: int, lang: Language) -> str:
    """Return the likeliest next tokens with and without a part, and what each head alone would move."""
    name = text(f"inside.off_now.{part}", lang, layer=layer, head=head)
    caption, rows = text("inside.off_next", lang, part=name), found["next"]
    largest = max(max(row["before"], row["after"]) for row in rows) or 1.0
    body = "".join(
        f'<tr><th scope="row"><bdi>{escape(row["text"])}</bdi></th>{bar(row["before"], largest, lang)}'
        f"{bar(row['after'], largest, lang, second=True)}</tr>"
        for row in rows
    )
    head_row = "".join(
        f'<th scope="col" colspan="2">{escape(text(f"inside.column.{name}", lang))}</th>'
        for name in ("before", "after")
    )
    each = text("inside.each_head", lang, layer=layer)
    names = [text("inside.head_number", lang, head=one["head"]) for one in found["heads"]]
    return (
        message(text("inside.moved", lang, moved=found["moved"]))
        + savable(
            f'<table class="bars pairs"><caption>{escape(caption)}</caption><thead><tr><td></td>{head_row}</tr></thead>'
            f"<tbody>{body}</tbody></table>",
            lang,
        )
        + data("switched-off", rows, caption, lang)
        + bars(names, [100 * one["moved"] for one in found["heads"]], each, lang)
        + data("heads-off", found["heads"], each, lang)
    )


def embedding(strips: "Strips", found: dict, lang: Language) -> str:
    """Return the token's vector, the position's vector and their sum, their first numbers in a row each."""
    token = found["token"]
    caption = text("inside.vectors", lang, token=found["tokens"][token]["text"], position=token)
    vectors = {"token": strips.token, "position": strips.position, "sum": strips.embedding}
    rows = {text(f"inside.vector.{name}", lang): vector[token] for name, vector in vectors.items()}
    return rows_of_numbers(rows, caption, lang)


def addresses(found: dict, lang: Language) -> str:
    """Return old and new ids, and the prediction with the rows moved along and with the rows left where they were."""
    labels = [one["text"] for one in found["tokens"]]
    drawn = paragraph(text("inside.ids", lang)) + tokens(
        labels, [f"{one['id']} → {one['new_id']}" for one in found["tokens"]]
    )
    records = []
    for name in ("before", "with_rows", "without_rows"):
        one = found[name]
        rows, caption = one if name == "before" else one["next"], text(f"inside.numbering.{name}", lang)
        drawn += _likely(rows, caption, lang)
        if name != "before":
            drawn += message(text(f"inside.moved_by.{name}", lang, difference=one["largest_difference"]))
        records += [{"numbering": caption, **row} for row in rows]
    return drawn + data("addresses", records, text("inside.ids", lang), lang)


def norms(found: dict, lang: Language) -> str:
    """Return the length of the chosen token's vector after each step of the stream."""
    token = found["token"]
    caption = text("inside.norms", lang, token=found["tokens"][token]["text"], position=token)
    records = [
        {
            "point": text(f"inside.after.{row['after']}", lang, layer=row["layer"]),
            "added": None if row["added"] is None else row["added"][token],
            "stream": row["stream"][token],
            "mean_stream": sum(row["stream"]) / len(row["stream"]),
        }
        for row in found["norms"]
    ]
    drawn = bars([row["point"] for row in records], [row["stream"] for row in records], caption, lang)
    return drawn + data("norms", records, caption, lang)


def mlp(found: dict, neurons: "Tensor", lang: Language) -> str:
    """Return all neurons of the layer for all tokens as a picture, and the strongest ones for the chosen token.

    Args:
        found: What `inspect` returned.
        neurons: After the activation, shape (T, n_inner).
        lang: The reader's.
    """
    mlp, layer, count = found["mlp"], found["layer"], found["mlp"]["neurons"]
    names = {"layer": layer, "token": found["tokens"][found["token"]]["text"], "position": found["token"]}
    drawn_as = text("inside.neurons", lang, layer=layer, count=count, tokens=len(found["tokens"]))
    caption, strongest = text("inside.strongest", lang, **names), mlp["strongest"]
    numbers = [text("inside.neuron", lang, neuron=row["neuron"]) for row in strongest]
    return (
        figure(picture(neurons, drawn_as), drawn_as, lang)
        + message(text("inside.positive", lang, positive=mlp["positive"], count=count, **names))
        + bars(numbers, [row["activation"] for row in strongest], caption, lang)
        + data("mlp", strongest, caption, lang)
    )


def data(name: str, records: Sequence[dict], caption: str, lang: Language) -> str:
    """Return the numbers of a figure; the headings are the texts `column.<key>`."""
    return figure_data(name, records, "inside.column", caption, lang)


def typical(values: Sequence[Sequence[float | None]]) -> float:
    """Return the number that gets the full colour: the median of the rows' strongest, so that an outlier pales no row.

    In a map of attention the first rows have hardly anything to choose from, and their weights are near 1.
    """
    return median(max(abs(value) for value in row if value is not None) for row in values) or 1.0


def picture(values: "Tensor", alternative: str, largest: float | None = None) -> str:
    """Return a matrix as a small PNG, a pixel a number: blue above 0, orange below, clear at 0.

    Args:
        values: Numbers, shape (rows, columns).
        alternative: What it shows; empty where the text beside it says so.
        largest: The absolute value that gets the full colour; by default what `typical` finds.
    """
    import numpy as np
    from PIL import Image

    numbers = values.numpy()
    strength = np.minimum(1, np.abs(numbers) / (largest or typical(values.tolist())))
    pixels = np.where((numbers < 0)[..., None], (234, 88, 12), (99, 102, 241)).astype(np.uint8)  # (rows, columns, 3)
    pixels = np.concatenate([pixels, (255 * strength).astype(np.uint8)[..., None]], axis=-1)
    content = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(content, "PNG", optimize=True)
    return image(content.getvalue(), alternative, "matrix")
