"""What the model would say next, drawn: now, after each layer, and with a part of it switched off."""

from html import escape

from hf_llm.app.pages.inside.figure import data
from hf_llm.app.texts import Language, text
from hf_llm.app.views import bars, message, number


def draw_next(found: dict, lang: Language) -> str:
    """Return the likeliest tokens after the chosen one."""
    label, following = found["tokens"][found["token"]]["text"], found["tokens"][found["token"] + 1 :]
    caption = text("inside.next", lang, token=label, position=found["token"])
    really = message(text("inside.really", lang, token=following[0]["text"])) if following else ""
    rows = found["next"]
    drawn = bars([row["text"] for row in rows], [row["probability"] for row in rows], caption, lang, digits=4)
    return drawn + really + data("next", rows, caption, lang)


def draw_lens(found: dict, token: int, lang: Language) -> str:
    """Return the likeliest next token after each layer: for the chosen token in full, for all others the first."""
    labels = [one["text"] for one in found["tokens"]]
    names = [
        text("inside.after_embedding" if layer["layer"] is None else "inside.lens_layer", lang, layer=layer["layer"])
        for layer in found["layers"]
    ]
    answer = found["layers"][-1]["likely"][token][0]["text"]
    rising = text("inside.rising", lang, token=labels[token], position=token, answer=answer)
    bar_names = [f"{name} · {layer['likely'][token][0]['text']}" for name, layer in zip(names, found["layers"])]
    drawn = bars(bar_names, [layer["final"][token] for layer in found["layers"]], rising, lang, digits=4)
    records = [
        {"layer": name, "rank": rank, **one}
        for name, layer in zip(names, found["layers"])
        for rank, one in enumerate(layer["likely"][token], 1)
    ]
    caption = text("inside.lens", lang)
    head = "".join(f'<th scope="col"><bdi>{escape(label)}</bdi></th>' for label in labels)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td><button type="button" class="cell" data-choose="{depth},{place}"'
            f' aria-pressed="{str(place == token).lower()}" style="--shade:{one[0]["probability"]:.3f}">'
            f"<bdi>{escape(one[0]['text'])}</bdi><small>{number(one[0]['probability'], lang, 2)}</small></button></td>"
            for place, one in enumerate(found["layers"][depth]["likely"])
        )
        + "</tr>"
        for depth, name in enumerate(names)
    )
    grid = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="heat lens"'
        f" data-arrows><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    return drawn + data("lens", records, rising, lang) + grid


def draw_off(found: dict, part: str, layer: int, head: int, lang: Language) -> str:
    """Return the likeliest next tokens with and without a part, and what each head alone would move."""
    name = text(f"inside.off_{part}_now", lang, layer=layer, head=head)
    caption = text("inside.off_next", lang, part=name)
    largest = max(max(row["before"], row["after"]) for row in found["next"]) or 1.0
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(row["text"])}</bdi></th>{_bar(row["before"], largest, "", lang)}'
        f"{_bar(row['after'], largest, ' minus', lang)}</tr>"
        for row in found["next"]
    )
    columns = "".join(
        f'<th scope="col" colspan="2">{escape(text(f"inside.column_{name}", lang))}</th>'
        for name in ("before", "after")
    )
    pairs = (
        f'<table class="bars pairs"><caption>{escape(caption)}</caption><thead><tr><td></td>{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    moved = message(text("inside.moved", lang, share=number(100 * found["moved"], lang, 2)))
    each = text("inside.each_head", lang, layer=layer)
    drawn = bars(
        [text("inside.head_number", lang, head=one["head"]) for one in found["heads"]],
        [100 * one["moved"] for one in found["heads"]], each, lang,
    )  # fmt: skip
    return (
        moved + pairs + data("switched-off", found["next"], caption, lang)
        + drawn + data("heads-off", found["heads"], each, lang)
    )  # fmt: skip


def _bar(value: float, largest: float, kind: str, lang: Language) -> str:
    bar = f'<span class="bar{kind}" style="--share:{value / largest:.4f}"></span>'
    return f"<td>{bar}</td><td>{number(value, lang, 4)}</td>"
