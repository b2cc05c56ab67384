"""Examples of the page inside a GPT-2: a text, the part to look at it with, and what the model at hand does with it.

A sentence says of a model what a figure of `explain.claims` says, and says otherwise where the figure is another.
"""

from typing import TYPE_CHECKING, NamedTuple

from hf_llm.texts import Language, text

if TYPE_CHECKING:
    from hf_llm.explain.reading import Reading


class Preset(NamedTuple):
    """A text and the part of the page to look at it with; `inside.why.<name>` says why."""

    text: str
    part: str


PRESETS = {
    "cat": Preset("O gato que estava no quarto do apartamento 3 foi encontrado por", "attention"),
    "cat_en": Preset("The cat that was in the bedroom of apartment 3 was found by", "attention"),
    "by_heart": Preset("I HAD always thought Jack Gisburn rather a cheap genius--though a good fellow enough", "lens"),
    "repeated": Preset("red green blue, red green blue, red green", "attention"),
    "nothing_before": Preset("a", "attention"),
    "never_seen": Preset("xq zvk wjq pfh kkq", "prediction"),
    "too_long": Preset("One word after another, and no end in sight. " * 12, "prediction"),
}
LOOKS = {"cat": ("encontrado", "gato"), "cat_en": ("found", "cat")}  # which word may look at which
FOLLOWS = {"repeated": " blue"}  # and what a model would copy
RECITED = ("by_heart",)


def cat_of(lang: Language) -> str:
    """Return the name of the preset with the lecture's sentence in a language."""
    return "cat_en" if lang == "en" else "cat"


def preset_of(content: str) -> str | None:
    """Return the name of the preset with this text."""
    return next((name for name, preset in PRESETS.items() if preset.text == content), None)


def why(name: str, reading: "Reading", lang: Language) -> str:
    """Return why one should look at a preset, and what the model does with it."""
    from hf_llm.explain import claims

    said, content = text(f"inside.why.{name}", lang), PRESETS[name].text
    if name in LOOKS:
        looks, at = LOOKS[name]
        found = claims.look(reading, content, looks, at)
        if found is None:  # the text was cut
            return said
        key, values = ("looks" if found.clear else "hardly"), {"looks": looks, "at": at, **found._asdict()}
    elif name in FOLLOWS:
        found = claims.copy(reading, content, FOLLOWS[name])
        key, values = ("copies" if found.made else "does_not_copy"), {"token": FOLLOWS[name].strip(), **found._asdict()}
    elif name in RECITED:
        found = claims.recital(reading)
        key, values = ("recites" if found.by_heart else "does_not_recite"), found._asdict()
    else:
        return said
    return f"{said} {text(f'inside.claim.{key}', lang, **values)}"
