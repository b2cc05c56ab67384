"""A token and its vector drawn: embeddings, the residual stream, the MLP."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.figure import data, picture
from hf_llm.app.texts import Language, text
from hf_llm.app.views import bars, message, number, tokens

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDING_SHOWN = 12  # of the numbers of a vector; all of them stand in the data


def draw_tokens(read: dict, token: int, lang: Language) -> str:
    """Return the text's tokens as buttons, the one that is looked into pressed."""
    labels = [one["text"] for one in read["tokens"]]
    left_out, most = read["left_out"], len(labels)
    cut = text("inside.cut", lang, left_out=left_out, most=most, context=read["n_positions"]) if left_out else ""
    return (message(cut, "bad") if cut else "") + tokens(
        labels, [f"{one['position']}" for one in read["tokens"]], chosen=token
    )


def draw_embedding(found: dict, lang: Language) -> str:
    """Return the token's vector, the place's vector and their sum, their first numbers in a row each."""
    vectors, size = found["embedding"], len(found["embedding"]["sum"])
    caption = text("inside.vectors", lang, token=found["tokens"][found["token"]]["text"], position=found["token"])
    shown = [vector[:EMBEDDING_SHOWN] for vector in vectors.values()]
    names = [text(f"inside.vector_{name}", lang) for name in vectors]
    records = [{"dimension": i, **{name: vector[i] for name, vector in vectors.items()}} for i in range(size)]
    note = message(text("inside.vectors_cut", lang, shown=len(shown[0]), size=size))
    return _shaded(names, range(len(shown[0])), shown, caption, lang) + note + data("vectors", records, caption, lang)


def draw_addresses(found: dict, lang: Language) -> str:
    """Return old and new ids, and the prediction with the rows moved along and with the rows left where they were."""
    ids = tokens(
        [one["text"] for one in found["tokens"]], [f"{one['id']} → {one['new_id']}" for one in found["tokens"]]
    )
    parts = [f"<p>{escape(text('inside.ids', lang))}</p>", ids]
    records = []
    for name in ("before", "with_rows", "without_rows"):
        one = found[name]
        rows = one if name == "before" else one["next"]
        caption = text(f"inside.{name}", lang)
        parts.append(bars([row["text"] for row in rows], [row["probability"] for row in rows], caption, lang, digits=4))
        if name != "before":
            difference = number(one["largest_difference"], lang, 6)
            parts.append(message(text(f"inside.{name}_moved", lang, difference=difference)))
        records += [{"numbering": caption, **row} for row in rows]
    return "".join(parts) + data("addresses", records, text("inside.ids", lang), lang)


def draw_norms(found: dict, lang: Language) -> str:
    """Return the length of the chosen token's vector after each step of the stream."""
    token = found["token"]
    caption = text("inside.norms", lang, token=found["tokens"][token]["text"], position=token)
    records = [
        {
            "place": text(f"inside.after_{row['after']}", lang, layer=row["layer"]),
            "added": None if row["added"] is None else row["added"][token],
            "stream": row["stream"][token],
            "mean_stream": sum(row["stream"]) / len(row["stream"]),
        }
        for row in found["norms"]
    ]
    drawn = bars([row["place"] for row in records], [row["stream"] for row in records], caption, lang, digits=2)
    return drawn + data("norms", records, caption, lang)


def draw_mlp(found: dict, neurons: "Tensor", lang: Language) -> str:
    """Return all neurons of the layer for all tokens as a picture, and the strongest ones for the chosen token.

    Args:
        found: What `inspect` returned.
        neurons: After the activation, shape (T, n_inner).
    """
    mlp, layer = found["mlp"], found["layer"]
    names = {"layer": layer, "token": found["tokens"][found["token"]]["text"], "position": found["token"]}
    drawn_as = text("inside.neurons", lang, layer=layer, count=mlp["neurons"], tokens=len(found["tokens"]))
    share = text("inside.positive", lang, share=number(100 * mlp["positive"], lang, 1), count=mlp["neurons"], **names)
    caption = text("inside.strongest", lang, **names)
    drawn = bars(
        [text("inside.neuron", lang, neuron=row["neuron"]) for row in mlp["strongest"]],
        [row["activation"] for row in mlp["strongest"]], caption, lang,
    )  # fmt: skip
    return (
        f"<figure><figcaption>{escape(drawn_as)}</figcaption>{picture(neurons, drawn_as)}</figure>"
        + message(share)
        + drawn
        + data("mlp", mlp["strongest"], caption, lang)
    )


def _shaded(
    rows: Sequence[str], columns: Sequence, values: Sequence[Sequence[float]], caption: str, lang: Language
) -> str:
    """Return a matrix as a table of shaded cells with numbers, which cannot be chosen."""
    largest = max(abs(value) for row in values for value in row) or 1.0
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td class="shade{" minus" if value < 0 else ""}" style="--shade:{abs(value) / largest:.3f}">'
            f"{number(value, lang)}</td>"
            for value in row
        )
        + "</tr>"
        for name, row in zip(rows, values, strict=True)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="heat vectors">'
        f"<caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
