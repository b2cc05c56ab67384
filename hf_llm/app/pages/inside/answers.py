"""What the page inside a GPT-2 answers: what the model computes, drawn part by part, and what was clicked in it."""

from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from hf_llm.app.page import App, checked
from hf_llm.app.pages.inside import attention, views
from hf_llm.app.pages.inside.call import call
from hf_llm.app.server.library import first
from hf_llm.app.views import code, message
from hf_llm.config import UserError, require
from hf_llm.texts import Language, both
from hf_llm.texts import text as in_language

if TYPE_CHECKING:
    from hf_llm.explain.reading import Reading

PARTS = {  # of the page, and the views that each one fills
    "prediction": ["next"],
    "embedding": ["embedding", "addresses"],
    "attention": ["heads", "map", "cell"],
    "stream": ["norms", "mlp"],
    "lens": ["lens"],
    "off": ["off"],
}
LAST = -1  # the last token; as a key, the one with the most weight


class Preset(NamedTuple):
    """A text and the part of the page to look at it with; `inside.why.<name>` says why."""

    text: str
    part: str


PRESETS = {
    "cat": Preset("O gato que estava no quarto do apartamento 3 foi encontrado por", "attention"),
    "cat_en": Preset("The cat that was in the bedroom of apartment 3 was found by", "attention"),
    "by_heart": Preset("I had always thought Jack Gisburn rather a cheap genius", "lens"),
    "repeated": Preset("red green blue, red green blue, red green", "attention"),
    "nothing_before": Preset("a", "attention"),
    "never_seen": Preset("xq zvk wjq pfh kkq", "prediction"),
    "too_long": Preset("One word after another, and no end in sight. " * 12, "prediction"),
}


def inspect(
    app: App, text: str, model: str | None = None, layer: int = 0, head: int = 0, token: int = -1, key: int = -1
) -> dict[str, Any]:
    """Look inside a GPT-2: embeddings, one head's attention with one cell written out, norms, MLP, next tokens.

    Positions count from 0; token -1 is the last one, key -1 the one that gets most attention from it.
    """
    from hf_llm.explain import inspection

    model = first(app.library.language_models()) if model is None else model
    return {"model": model, **inspection.inspect(_read(app, text, model), layer, head, token, key)}


def logit_lens(app: App, text: str, model: str | None = None, top: int = 5) -> dict[str, Any]:
    """What a GPT-2 would answer after each layer, for every token of a text; the last layer is its output."""
    from hf_llm.explain import inspection

    model = first(app.library.language_models()) if model is None else model
    return {"model": model, **inspection.lens(_read(app, text, model), top)}


ENDPOINTS = {"inspect": inspect, "logit_lens": logit_lens}


def _read(app: App, text: str, model: str | None) -> "Reading":
    """Return the text as the model reads it.

    Raises:
        UserError: When the text or the model will not do.
    """
    from hf_llm.explain.reading import read
    from hf_llm.generation.inference import require_own_tokenizer

    require(text != "", both("app.empty"))
    checked(text, app.config.max_characters)
    require(bool(app.library.language_models()), both("app.no_model"))
    loaded = app.library.language_model(model)
    kind = loaded.model.config.model_type
    require(kind == "gpt2", both("inside.not_gpt2", model=model, kind=kind))
    require_own_tokenizer(loaded.model, loaded.tokenizer)
    return read(loaded.model, loaded.tokenizer, text)


def show(
    app: App, *, preset: str, model: str, text: str, part: str, layer: int, head: int, token: int, key: int, step: str,
    shuffle: int, off: str, lang: Language,
) -> dict[str, str]:  # fmt: skip
    """Return the views of one part of the page and those of all, {name: HTML}; a message for what cannot be shown."""
    from hf_llm.explain.inspection import inspect, lens
    from hf_llm.explain.what_if import addresses, switched_off

    is_preset = text == PRESETS[preset].text
    shown = {"why": message(in_language(f"inside.why.{preset}", lang)) if is_preset else ""}
    try:
        reading = _read(app, text, model)
    except UserError as error:  # what was drawn before belongs to another text or model
        said = message(app.said(error, lang), "bad")
        return {**shown, "tokens": said, **dict.fromkeys(PARTS[part], ""), "call": ""}
    # the controls may still stand where a longer text or a larger model had them
    layer, head = min(int(layer), reading.n_layer - 1), min(int(head), reading.n_head - 1)
    token = int(token) if 0 <= int(token) < reading.T else reading.T - 1
    key = int(key) if 0 <= int(key) < reading.T else LAST
    shown["tokens"] = views.tokens_read(reading.as_dict(), token, lang)
    if part == "lens":
        shown["lens"] = views.lens(lens(reading), token, lang)
    elif part == "off":
        shown["off"] = views.off(switched_off(reading, layer, head, off, token), off, layer, head, lang)
    else:
        found = inspect(reading, layer, head, token, key)
        if part == "prediction":
            shown["next"] = views.following(found, lang)
        elif part == "embedding":
            shown["embedding"] = views.embedding(found, lang)
            shown["addresses"] = views.addresses(addresses(reading, int(shuffle), token), lang)
        elif part == "attention":
            shown["heads"] = attention.heads(found, reading.seen(f"layer.{layer}.attention.weights"), lang)
            shown["map"] = attention.step_map(found, step, lang)
            shown["cell"] = attention.cell(found, lang)
        else:
            shown["norms"] = views.norms(found, lang)
            shown["mlp"] = views.mlp(found, reading.seen(f"layer.{layer}.mlp.activation"), lang)
    source = call(app.library.source(model), text, part, layer, head, token, off)
    return {**shown, "call": code(source, lang)}


def fit(app: App, *, model: str | None, layer: int, head: int, lang: Language) -> tuple:
    """Return the sliders of layer and head, from 0 to the model's last ones."""
    config = app.library.language_model(model).model.config if model else None
    if config is None or config.model_type != "gpt2":
        return gr.skip(), gr.skip()
    return tuple(
        gr.update(maximum=max(1, count - 1), value=min(int(value), count - 1))
        for value, count in ((layer, config.n_layer), (head, config.n_head))
    )


def choose_preset(app: App, *, preset: str, lang: Language) -> tuple:
    """Return the preset's text and part, and the last token."""
    return *PRESETS[preset], LAST, LAST


def choose_token(app: App, *, choice: str, lang: Language) -> tuple[int, int]:
    return int(choice), LAST


def choose_lens_token(app: App, *, choice: str, lang: Language) -> tuple[int, int]:
    return int(choice.split(",")[1]), LAST


def choose_cell(app: App, *, choice: str, lang: Language) -> tuple[int, int]:
    token, key = choice.split(",")
    return int(token), int(key)


def choose_number(app: App, *, choice: str, lang: Language) -> int:
    """Return the chosen head, or the chosen token that is looked at."""
    return int(choice)
