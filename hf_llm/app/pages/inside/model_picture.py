"""The picture of a GPT-2 at work: from the sentence on the left to the next token on the right, one layer opened.

It is an SVG that Python writes, without a script: a wide form whose rows are the tokens, and a narrow one that a reader
with a telephone walks down. style.css shows the one that fits. Every strip is the first numbers of a real vector; the
legend below holds for all of them.
"""

from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.colour_scale import legend
from hf_llm.app.pages.inside.picture_parts import EACH_HEAD, MAPS, Chosen, Parts, Place
from hf_llm.app.views import savable
from hf_llm.texts import Language, text

if TYPE_CHECKING:
    from hf_llm.explain.reading import Reading
    from hf_llm.explain.strips import Strips

EMBEDDING = Place("embedding", "part:embedding", ("token", "position", "embedding"), ("", "+", "="))
TO_ATTENTION = (
    Place("before", "part:stream", ("before",)),
    Place("attention_norm", "place:attention_norm", ("attention_norm",)),
    Place("qkv", "place:qkv", ("q", "k", "v"), ("→", "", "")),
)
FROM_ATTENTION = (
    Place("mixed", "place:mixed", ("mixed",), ("×",)),
    Place("side_by_side", "place:side_by_side", ("side_by_side",)),
    Place("projection", "place:projection", ("projection",)),
    Place("mid", "place:mid", ("mid",), ("+",)),
)
MLP = (
    Place("mlp_norm", "place:mlp_norm", ("mlp_norm",)),
    Place("neurons", "part:stream", ("neurons",)),
    Place("mlp_output", "place:mlp_output", ("mlp_output",)),
    Place("output", "place:output", ("output",), ("+",)),
)
LENS = Place("lens", "part:lens", ("final_norm",))
STRIP, WIDER = 18, {"side_by_side": 48, "neurons": 32}  # width of a strip in the wide form
GAP, FOLDED = 11, 100  # between places; of all folded layers together
TOP, TITLE, FOOT = 88, 11, 50  # above the rows, where the group's names stand, and below the rows
NARROW, NAMES = 360, 80  # width of the narrow form, and of the tokens in it


def model_picture(found: "Strips", labels: list[str], likely: list[dict], chosen: Chosen, lang: Language) -> str:
    """Return the picture of one text as HTML; the arguments are those of `Parts`."""
    parts = [Parts(found, labels, likely, chosen, lang) for _ in range(2)]
    drawn = f'<div class="picture">{parts[0].definitions()}{_wide(parts[0])}{_narrow(parts[1])}</div>'
    return savable(drawn, lang)


def pictured(reading: "Reading", chosen: Chosen, lang: Language) -> "tuple[str, Strips]":
    """Return the picture of a text as a model reads it, with what is chosen opened, and the numbers in it."""
    from hf_llm.explain.strips import strips

    found = strips(reading.model, reading.ids, chosen.layer, chosen.head, chosen.off)
    logits = found.logits[chosen.token]  # (vocab_size,)
    likely = [{**one, "logit": logits[one["id"]].item()} for one in reading.likely(logits.softmax(-1))]
    return model_picture(found, reading.labels, likely, chosen, lang), found


def _svg(parts: Parts, form: str, width: float, height: float, drawn: str) -> str:
    name = text("inside.picture", parts.lang, layer=parts.chosen.layer, head=parts.chosen.head, tokens=parts.T)
    return f'<svg class="{form}" viewBox="0 0 {width:.0f} {height:.0f}" role="group" aria-label="{name}">{drawn}</svg>'


def _wide(parts: Parts) -> str:
    lang, layer = parts.lang, parts.chosen.layer
    drawn, middles = [], {}  # middles: of the strips that the residual connections join
    middle_row, bottom = TOP + parts.rows / 2, TOP + parts.rows

    def along(places: tuple[Place, ...], x: float) -> float:
        """Draw places from left to right, and return where the last one ends."""
        for place in places:
            at = []
            for strip, sign in zip(place.strips, place.signs, strict=True):
                gap = GAP if sign else 2
                if sign:
                    drawn.append(f'<text class="sign" x="{x + gap / 2:.1f}" y="{middle_row:.1f}">{sign}</text>')
                at.append((x + gap, WIDER.get(strip, STRIP)))
                x = sum(at[-1])
                middles[strip] = x - at[-1][1] / 2
            drawn.append(parts.place(place, at, TOP, upright=True))
        return x

    def folded(layers: range, x: float) -> float:
        """Draw layers that are not opened, and return where the last one ends."""
        width = max(1.5, min(2.5 * EACH_HEAD, FOLDED / max(1, parts.n_layer - 1) - 2))
        inner = "".join(parts.folded(i, x + 8 + n * (width + 2), TOP, width) for n, i in enumerate(layers))
        if inner:
            drawn.append(parts.group(inner))
        return x + (8 + len(layers) * (width + 2) if inner else 0)

    def title(name: str, x: float, **values) -> None:
        said = text(f"inside.group.{name}", lang, **values)
        drawn.append(f'<text class="title" x="{x:.1f}" y="{TITLE}">{said}</text>')

    title("text", 0)
    drawn.append(parts.tokens(0, TOP))
    title("embedding", 80)
    x = along((EMBEDDING,), 78)
    x = folded(range(layer), x) + 8
    block = x
    title("attention", x + 6, layer=layer)
    x = along(TO_ATTENTION, x) + GAP
    side = min(30, parts.body / parts.n_head - 2)
    heads = text("inside.strip.heads", lang)
    drawn.append(f'<text transform="translate({x + side / 2 + 3:.1f} {TOP - 5}) rotate(-90)">{heads}</text>')
    drawn.append(parts.heads(x, TOP, side, columns=1))
    x += side + 8
    side = (parts.body - 3 * 18) / len(MAPS)
    maps = (parts.attention(step, x, TOP + number * (side + 18), side) for number, step in enumerate(MAPS))
    drawn.append(parts.group("".join(maps)))
    x = along(FROM_ATTENTION, x + side)
    title("mlp", x + 10)
    x = along(MLP, x)
    wide, high = x + 7 - block, TOP + parts.body + 2
    frame = f'<rect class="block" x="{block:.1f}" y="{TITLE + 5}" width="{wide:.1f}" height="{high:.1f}" rx="6"/>'
    drawn.insert(0, frame)  # below all else
    x = folded(range(layer + 1, parts.n_layer), x + 4)
    title("output", x + GAP)
    x = along((LENS,), x) + GAP
    drawn.append(parts.next_tokens(x, TOP, 92))
    for start, end in (("before", "mid"), ("mid", "output")):
        left, right = middles[start] + 2, middles[end] - 2
        drawn.append(f'<path class="residual" d="M{left:.1f} {bottom:.1f}v8H{right:.1f}v-6m-3 3l3 -4l3 4"/>')
    width, foot = x + 96, TOP + max(parts.body, parts.rows) + 26
    drawn.append(_foot(parts, 0, foot, width))
    return _svg(parts, "wide", width, foot + FOOT - 26, "".join(drawn))


def _foot(parts: Parts, x: float, y: float, width: float) -> str:
    """Return the legend, what can be switched off, and the button for one more token, in a row."""
    drawn, used = legend(x, y, parts.lang)
    x += used + 14
    switches = ""
    for part in ("head", "heads", "mlp"):
        pill, taken = parts.switch(part, x, y - 4)
        switches += pill
        x += taken + 6
    more, taken = parts.more(x, y - 4)
    pushed = max(0.0, width - x - taken)  # to the right, below the tokens that it takes one of
    return drawn + parts.group(switches) + f'<g transform="translate({pushed:.1f} 0)">{parts.group(more)}</g>'


def _narrow(parts: Parts) -> str:
    lang, layer = parts.lang, parts.chosen.layer
    drawn, y = [], 0.0

    def title(name: str, **values) -> None:
        nonlocal y
        y += 28
        said = text(f"inside.group.{name}", lang, **values)
        drawn.append(f'<text class="title" x="0" y="{y - 8}">{said}</text>')

    def down(places: tuple[Place, ...], names: bool = True) -> None:
        """Draw places one below the other, the tokens beside each."""
        nonlocal y
        for place in places:
            y += 26
            sign = place.signs[0].replace("→", "↓")
            drawn.append(f'<text class="sign" x="{NAMES / 2}" y="{y - 8}">{sign}</text>')
            width = (NARROW - NAMES - 4) / len(place.strips)
            at = [(NAMES + number * width, width - 4) for number in range(len(place.strips))]
            if names:
                drawn.append(f'<use href="#picture-names" transform="translate(0 {y})"/>')
            drawn.append(parts.place(place, at, y, upright=False))
            y += parts.rows

    title("text")
    drawn.append(parts.tokens(0, y + 26))
    down((EMBEDDING,), names=False)
    title("layers")
    pills = ""
    for i in range(parts.n_layer):
        left, top = i % 10 * 36, y + i // 10 * 26
        sentence = text("inside.holds.folded", lang, layer=i)
        pills += parts.pill(f"layer:{i}", f"{i}".center(3, "\u2007"), sentence, left, top, i == layer)[0]
    drawn.append(parts.group(pills))
    y += (parts.n_layer - 1) // 10 * 26 + 26
    title("attention", layer=layer)
    down(TO_ATTENTION)
    y += 24
    drawn.append(f'<text x="0" y="{y - 6}">{text("inside.strip.heads", lang)}</text>')
    drawn.append(parts.heads(0, y, 58, columns=6))
    y += ((parts.n_head - 1) // 6 + 1) * 60
    side = NARROW / 2 - 4
    maps = ""
    for number, step in enumerate(MAPS):
        y += 22 if number % 2 == 0 else 0
        maps += parts.attention(step, number % 2 * (side + 8), y, side)
        y += side if number % 2 else 0
    drawn.append(parts.group(maps))
    down(FROM_ATTENTION)
    title("mlp")
    down(MLP)
    title("output")
    down((LENS,))
    y += 34
    drawn.append(parts.next_tokens(0, y, NARROW - 60))
    y += 40 * len(parts.likely)
    for part in ("head", "heads", "mlp"):
        y += 26
        drawn.append(parts.group(parts.switch(part, 0, y - 20)[0]))
    y += 26
    drawn.append(parts.group(parts.more(0, y - 20)[0]))
    scale, used = legend(0, 0, lang)
    drawn.append(f'<g transform="translate(0 {y + 8}) scale({min(1.0, NARROW / used):.3f})">{scale}</g>')
    return _svg(parts, "narrow", NARROW, y + 34, "".join(drawn))
