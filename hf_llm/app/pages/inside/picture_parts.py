"""The parts of the picture of a GPT-2, each drawn at a point: tokens, strips, heads, maps of attention, next tokens.

All numbers are drawn once, in `definitions`, as unit squares; a part shows them by `<use>` in the size that it gets, so
that the wide and the narrow form of the picture share them. A part that opens something is a `role="button"` with
`data-choose`, and its sentence says what it holds.
"""

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from hf_llm.app.pages.inside.colour_scale import cells, masked
from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    from hf_llm.explain.strips import Strips

NUMBERS = 12  # of a vector, the first ones
NEURONS = 24  # of the MLP, likewise
EACH_HEAD = 4  # numbers of each head's sum, likewise
ROW_LEAST, ROW_MOST, BODY = 12.5, 52, 400  # height of a token's row, and of all rows where the least allows it
MAPS = ("product", "scale", "mask", "softmax")
VECTORS = ("token", "position", "embedding", "before", "attention_norm", "q", "k", "v", "mixed", "projection", "mid",
           "mlp_norm", "mlp_output", "output", "final_norm")  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """What is opened in the picture: layer, head and token from 0, a step of the attention, a part switched off."""

    layer: int = 0
    head: int = 0
    token: int = 0
    step: str = MAPS[-1]
    off: str | None = None


@dataclass(frozen=True)
class Place:
    """A place on the way: a click sends `opens`; `inside.holds.<name>` says what it holds."""

    name: str
    opens: str
    strips: tuple[str, ...]  # drawn side by side; `inside.strip.<strip>` stands over each
    signs: tuple[str, ...] = ("→",)  # what stands before each


class Parts:
    """Draws the parts of one picture.

    Args:
        found: The numbers.
        labels: The text of each token.
        likely: The likeliest tokens after the chosen one: {text, probability, logit}.
        chosen: What is opened.
        lang: The reader's.
    """

    def __init__(self, found: "Strips", labels: list[str], likely: list[dict], chosen: Chosen, lang: Language):
        self.found, self.labels, self.likely, self.chosen, self.lang = found, labels, likely, chosen, lang
        self.T = len(labels)
        self.n_layer, self.n_head = len(found.layers), len(found.every_head)
        self.row = max(ROW_LEAST, min(ROW_MOST, BODY / self.T))
        self.rows, self.body = self.row * self.T, max(BODY, self.row * self.T)
        heads = found.side_by_side.unflatten(1, (self.n_head, -1))[..., :EACH_HEAD]  # (T, n_head, EACH_HEAD)
        self._drawn = {
            **{name: getattr(found, name)[:, :NUMBERS] for name in VECTORS},
            "side_by_side": heads.flatten(1), "neurons": found.neurons[:, :NEURONS],
            **{f"layer-{i}": one[:, :EACH_HEAD] for i, one in enumerate(found.layers)},
        }  # fmt: skip
        self._places = 0

    def definitions(self) -> str:
        """Return what both forms of the picture use: every strip and map of it."""
        found, T = self.found, self.T
        maps = {name: cells(getattr(found, name).tril()) + masked(T) for name in ("mask", "softmax")}
        maps |= {name: cells(getattr(found, name)) for name in ("product", "scale")}
        maps |= {f"head-{i}": cells(weights) + masked(T) for i, weights in enumerate(found.every_head)}
        drawn = {name: cells(values) for name, values in self._drawn.items()} | maps
        hatches = "".join(
            f'<pattern id="{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">'
            f'<path d="M0 {size}L{size} 0" stroke-width="{size / 6}"/></pattern>'
            for name, size in (("picture-hatch", 1), ("picture-hatch-legend", 4))
        )
        groups = "".join(f'<g id="picture-{name}">{inner}</g>' for name, inner in drawn.items())
        names = "".join(self._name(position) for position in range(T))
        return (
            '<svg class="definitions" width="0" height="0" aria-hidden="true"><defs>'
            f'{hatches}{groups}<g id="picture-names">{names}</g></defs></svg>'
        )

    def button(self, opens: str, sentence: str, inner: str, pressed: bool | None = None, css: str = "") -> str:
        """Return something that is clicked; `sentence` is what a screen reader says and the mouse shows."""
        state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
        said = escape(sentence)
        return (
            f'<g role="button" tabindex="0" class="{css}" data-choose="{opens}" aria-label="{said}"{state}>'
            f"<title>{said}</title>{inner}</g>"
        )

    def group(self, inner: str) -> str:
        """Return parts among which the arrow keys move, one stop of the Tab key; data reach it after those before."""
        self._places += 1
        return f'<g class="arrives" data-arrows="" style="--place:{self._places}">{inner}</g>'

    def _name(self, position: int) -> str:
        shown, y = escape(fitted(self.labels[position], 11)), (position + 0.5) * self.row + 3.5
        return f'<text class="name" x="74" y="{y:.1f}" text-anchor="end">{shown}</text>'

    def tokens(self, x: float, y: float) -> str:
        """Return the sentence, a token a row, each a button; 78 wide."""
        drawn = "".join(
            self.button(
                f"token:{i}", text("inside.holds.one_token", self.lang, token=label, position=i),
                f'<rect class="hit" x="0" y="{i * self.row:.1f}" width="78" height="{self.row:.1f}"/>{self._name(i)}',
                i == self.chosen.token,
            )
            for i, label in enumerate(self.labels)
        )  # fmt: skip
        return f'<g transform="translate({x} {y})">{self.group(drawn)}</g>'

    def strip(self, name: str, x: float, y: float, width: float) -> str:
        """Return the strips of all tokens at one place, with the chosen token's marked."""
        columns = self._drawn[name].shape[1]
        top = y + self.chosen.token * self.row
        size = f"scale({width / columns:.4f} {self.row:.4f})"
        return (
            f'<rect class="frame" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{self.rows:.1f}"/>'
            f'<use href="#picture-{name}" transform="translate({x:.1f} {y}) {size}"/>'
            f'<rect class="mark" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{self.row:.1f}"/>'
        )

    def place(self, place: Place, at: list[tuple[float, float]], y: float, upright: bool) -> str:
        """Return a place as a button: its strips at (x, width) each, names over them, upright or across."""
        inner = ""
        for strip, (x, width) in zip(place.strips, at, strict=True):
            name, middle = escape(text(f"inside.strip.{strip}", self.lang)), x + width / 2
            if upright:
                inner += f'<text transform="translate({middle + 3.5:.1f} {y - 5}) rotate(-90)">{name}</text>'
            else:
                inner += f'<text x="{x:.1f}" y="{y - 5}">{name}</text>'
            inner += self.strip(strip, x, y, width)
            gone = {"mixed": "head", "side_by_side": "heads", "mlp_output": "mlp"}.get(strip)
            if self.chosen.off and gone == self.chosen.off:
                inner += cross(x, y, width, self.rows)
        sentence = text(f"inside.holds.{place.name}", self.lang, layer=self.chosen.layer, head=self.chosen.head)
        return self.group(self.button(place.opens, sentence, inner))

    def folded(self, layer: int, x: float, y: float, width: float) -> str:
        """Return a layer that is not opened: its number and a few numbers of the stream behind it."""
        inner = self.strip(f"layer-{layer}", x, y, width)
        if width >= 7:
            at = f'x="{x + width / 2:.1f}" y="{y - 5}" text-anchor="middle"'
            if self.n_layer > 10:  # numbers of two digits would touch
                at = f'transform="translate({x + width / 2 + 4:.1f} {y - 5}) rotate(-90)"'
            inner = f"<text {at}>{layer}</text>" + inner
        return self.button(f"layer:{layer}", text("inside.holds.folded", self.lang, layer=layer), inner, css="folded")

    def heads(self, x: float, y: float, side: float, columns: int) -> str:
        """Return the weights of each head of the layer as a small map to choose it by, `columns` in a row."""
        drawn, step = "", side + 2
        for head in range(self.n_head):
            left, top = x + head % columns * step, y + head // columns * step
            inner = self._map(f"head-{head}", left, top, side)
            if self.chosen.off == "heads" or (self.chosen.off == "head" and head == self.chosen.head):
                inner += cross(left, top, side, side)
            sentence = text("inside.holds.head", self.lang, layer=self.chosen.layer, head=head)
            drawn += self.button(f"head:{head}", sentence, inner, head == self.chosen.head)
        return self.group(drawn)

    def attention(self, step: str, x: float, y: float, side: float) -> str:
        """Return one step of the chosen head's attention, its name over it: rows look, columns are looked at."""
        size = self.found.q.shape[1]
        name = text(f"inside.step_name.{step}", self.lang, size=size)
        inner = f'<text x="{x:.1f}" y="{y - 4:.1f}">{escape(name)}</text>' + self._map(step, x, y, side)
        row = side / self.T
        top = y + self.chosen.token * row
        inner += f'<rect class="mark" x="{x:.1f}" y="{top:.1f}" width="{side:.1f}" height="{row:.1f}"/>'
        names = {"layer": self.chosen.layer, "head": self.chosen.head, "size": size}
        sentence = text(f"inside.holds.{step}", self.lang, **names)
        return self.button(f"step:{step}", sentence, inner, step == self.chosen.step)

    def _map(self, name: str, x: float, y: float, side: float) -> str:
        return (
            f'<rect class="frame" x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"/>'
            f'<use href="#picture-{name}" transform="translate({x:.1f} {y:.1f}) scale({side / self.T:.4f})"/>'
        )

    def next_tokens(self, x: float, y: float, width: float) -> str:
        """Return the likeliest tokens after the chosen one with logit and probability, and the button for one more."""
        step = 40
        inner = f'<rect class="hit" x="{x}" y="{y}" width="{width}" height="{step * len(self.likely)}"/>'
        for name, at, up, anchor in (("probability", x, 17, "start"), ("logit", x + width, 5, "end")):
            said = escape(text(f"inside.column.{name}", self.lang))
            inner += f'<text class="small" x="{at}" y="{y - up}" text-anchor="{anchor}">{said}</text>'
        for rank, one in enumerate(self.likely):
            top = y + rank * step
            bar = 1 + one["probability"] * (width - 45)
            logit = number(one["logit"], self.lang, ".1f")
            probability = number(one["probability"], self.lang, ".2f")
            inner += (
                f'<text class="name" x="{x}" y="{top + 12}">{escape(fitted(one["text"], 10))}</text>'
                f'<text class="small" x="{x + width}" y="{top + 12}" text-anchor="end">{logit}</text>'
                f'<rect class="likely" x="{x}" y="{top + 18}" width="{bar:.1f}" height="10"/>'
                f'<text class="small" x="{x + bar + 4:.1f}" y="{top + 27}">{probability}</text>'
            )
        token = self.labels[self.chosen.token]
        best = self.likely[0]
        said = {"token": token, "best": best["text"], "probability": best["probability"]}
        return self.group(self.button("part:prediction", text("inside.holds.next", self.lang, **said), inner))

    def switch(self, part: str, x: float, y: float) -> tuple[str, float]:
        """Return the switch of a part of the layer, and its width."""
        names = {"layer": self.chosen.layer, "head": self.chosen.head}
        off = self.chosen.off == part
        label = text(f"inside.switch.{part}", self.lang, **names)
        return self.pill(f"off:{part}", label, text(f"inside.holds.off_{part}", self.lang, **names), x, y, off)

    def more(self, x: float, y: float) -> tuple[str, float]:
        """Return the button that appends the likeliest next token, and its width."""
        return self.pill("more:1", text("inside.more", self.lang), text("inside.holds.more", self.lang), x, y)

    def pill(
        self, opens: str, label: str, sentence: str, x: float, y: float, on: bool | None = None
    ) -> tuple[str, float]:  # fmt: skip
        """Return a button with a label, and its width."""
        width = 14 + 5.8 * len(label)
        inner = (
            f'<rect class="pill" x="{x:.1f}" y="{y}" width="{width:.1f}" height="20" rx="10"/>'
            f'<text x="{x + width / 2:.1f}" y="{y + 14}" text-anchor="middle">{escape(label)}</text>'
        )
        return self.button(opens, sentence, inner, on, "switch"), width


def cross(x: float, y: float, width: float, height: float) -> str:
    """Return the mark of what is switched off."""
    lines = f"M{x:.1f} {y:.1f}l{width:.1f} {height:.1f}m{-width:.1f} 0l{width:.1f} {-height:.1f}"
    return f'<path class="cross" d="{lines}"/>'


def fitted(label: str, most: int) -> str:
    """Return a label that is at most `most` letters wide; a Chinese letter is two wide."""
    width, kept = 0, ""
    for letter in label:
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > most:
            return kept[:-1] + "…"
        kept += letter
    return kept
