"""Inside a GPT-2: one text, one token under the glass, and what each part of the model makes of it."""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from hf_llm.app.page import App, Page, checked
from hf_llm.app.pages.inside.answers import draw_lens, draw_next, draw_off
from hf_llm.app.pages.inside.attention import STEPS, draw_cell, draw_heads, draw_map
from hf_llm.app.pages.inside.call import call
from hf_llm.app.pages.inside.vectors import draw_addresses, draw_embedding, draw_mlp, draw_norms, draw_tokens
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import code, message
from hf_llm.config import UserError

if TYPE_CHECKING:
    from hf_llm.app.reading import Reading

PARTS = {  # of the page, and the views that each one fills
    "prediction": ["next"],
    "embedding": ["embedding", "addresses"],
    "attention": ["heads", "map", "cell"],
    "stream": ["norms", "mlp"],
    "lens": ["lens"],
    "off": ["off"],
}
MOST_LAYERS, MOST_HEADS = 48, 25  # those of the largest GPT-2, until a model was chosen
LAST = -1  # the last token; as a key, the one with the most weight


class Preset(NamedTuple):
    """A text and the part of the page to look at it with; why stands in the texts."""

    words: str
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


def build(page: Page) -> None:
    app, models = page.app, page.app.library.language_models()
    with gr.Row():
        preset = gr.Dropdown(
            [(t(f"inside.preset_{name}"), name) for name in PRESETS], value="cat", label=t("common.preset")
        )
        model = gr.Dropdown(models, value=models[0] if models else None, label=t("common.model"))
    views = {"why": page.view()}
    words = gr.Textbox(PRESETS["cat"].words, label=t("inside.text"), lines=2, max_length=app.config.max_characters)
    token = gr.Number(LAST, precision=0, visible="hidden", label="token")  # chosen by pressing a token
    key = gr.Number(LAST, precision=0, visible="hidden", label="key")  # chosen by pressing a cell
    gr.Markdown(t("inside.glass"))
    views["tokens"] = page.view()
    part = gr.Radio([(t(f"inside.part_{name}"), name) for name in PARTS], value="attention", label=t("inside.part"))
    with gr.Row() as where:
        layer = gr.Slider(0, MOST_LAYERS - 1, 0, step=1, label=t("inside.layer"))
        head = gr.Slider(0, MOST_HEADS - 1, 0, step=1, label=t("inside.head"))

    columns = {}
    with gr.Column(visible=False) as columns["prediction"]:
        gr.Markdown(t("inside.prediction_intro"))
        views["next"] = page.view()
    with gr.Column(visible=False) as columns["embedding"]:
        gr.Markdown(t("inside.embedding_intro"))
        views["embedding"] = page.view()
        gr.Markdown(t("inside.addresses_intro"))
        shuffle = gr.Slider(0, 99, 1, step=1, label=t("inside.shuffle"))
        views["addresses"] = page.view()
    with gr.Column() as columns["attention"]:
        gr.Markdown(t("inside.attention_intro"))
        views["heads"] = page.view()
        step = gr.Radio([(t(f"inside.step_{name}"), name) for name in STEPS], value="softmax",
                        label=t("inside.step"))  # fmt: skip
        views["map"] = page.view()
        views["cell"] = page.view()
    with gr.Column(visible=False) as columns["stream"]:
        gr.Markdown(t("inside.norms_intro"))
        views["norms"] = page.view()
        gr.Markdown(t("inside.mlp_intro"))
        views["mlp"] = page.view()
    with gr.Column(visible=False) as columns["lens"]:
        gr.Markdown(t("inside.lens_intro"))
        views["lens"] = page.view()
    with gr.Column(visible=False) as columns["off"]:
        gr.Markdown(t("inside.off_intro"))
        off = gr.Radio([(t(f"inside.off_{name}"), name) for name in ("head", "heads", "mlp")], value="head",
                       label=t("inside.off"))  # fmt: skip
        views["off"] = page.view()
    views["call"] = page.view()

    controls = [preset, model, words, part, layer, head, token, key, step, shuffle, off]

    def redraw(*values) -> dict:
        return {views[name]: drawn for name, drawn in show(app, *values).items()}

    def turn(part: str, lang: Language) -> dict:
        shown = {column: gr.update(visible=name == part) for name, column in columns.items()}
        return {
            **shown,
            where: gr.update(visible=part in ("attention", "stream", "off")),
            head: gr.update(visible=part != "stream"),
        }

    page.on([control.change for control in controls[1:]], redraw, controls, list(views.values()),
            trigger_mode="always_last", concurrency_id="calculation")  # fmt: skip
    page.on(part.change, turn, [part], [*columns.values(), where, head])
    page.on(model.change, partial(fit, app), [model, layer, head], [layer, head])
    # `input` is the reader's own choice: a link that restores the list must not undo the text that it restores
    page.on(preset.input, choose_preset, [preset], [words, part, token, key])
    page.on(views["tokens"].select, choose_token, [], [token, key])
    page.on(views["lens"].select, choose_lens_token, [], [token, key])
    page.on(views["heads"].select, choose_head, [], head)
    page.on(views["map"].select, choose_cell, [], [token, key])
    page.on(views["cell"].select, choose_key, [], key)

    page.settings(
        choices={"model": app.library.language_models}, preset=preset, model=model, text=words, part=part, layer=layer,
        head=head, token=token, key=key, step=step, shuffle=shuffle, off=off,
    )  # fmt: skip
    opened = page.opens_with(partial(fit, app), [model, layer, head], [layer, head])
    page.on(opened.then, redraw, controls, list(views.values()))


def endpoints(app: App) -> dict:
    def api_inspect(text: str, model: str, layer: int = 0, head: int = 0, token: int = -1, key: int = -1) -> dict:
        """Look inside a GPT-2: embeddings, one head's attention with one cell written out, norms, MLP, next tokens.

        Places count from 0; token -1 is the last one, key -1 the one that gets most attention from it.
        """
        from hf_llm.app.inspection import inspect

        return inspect(_reading(app, model, text, "en"), layer, head, token, key)

    def api_logit_lens(text: str, model: str, top: int = 5) -> dict[str, Any]:
        """What a GPT-2 would answer after each layer, for every token of a text; the last layer is its output."""
        from hf_llm.app.inspection import lens

        return lens(_reading(app, model, text, "en"), top)

    return {"inspect": api_inspect, "logit_lens": api_logit_lens}


def _reading(app: App, model: str | None, words: str, lang: Language) -> "Reading":
    """Return the text as the model reads it; a model that is not a GPT-2 is refused in the reader's language."""
    from hf_llm.app.reading import read

    if not words:
        raise UserError(text("common.empty", lang))
    checked(words, app.config.max_characters, lang)
    if not app.library.language_models():
        raise UserError(text("common.no_model", lang))
    language_model = app.library.language_model(model)
    kind = language_model.model.config.model_type
    if kind != "gpt2":
        raise UserError(text("inside.not_gpt2", lang, model=model, kind=kind))
    return read(language_model, words)


def show(
    app: App, preset: str, model: str, words: str, part: str, layer: int, head: int, token: int, key: int, step: str,
    shuffle: int, off: str, lang: Language,
) -> dict[str, str]:  # fmt: skip
    """Return the views of one part of the page and those of all, {name: HTML}; a sentence for what cannot be shown."""
    from hf_llm.app.inspection import activations, attention_maps, inspect, lens
    from hf_llm.app.what_if import addresses, switched_off

    chosen = words == PRESETS[preset].words
    shown = {"why": message(text(f"inside.why_{preset}", lang)) if chosen else ""}
    try:
        reading = _reading(app, model, words, lang)
    except UserError as error:  # what was drawn before belongs to another text or model
        return {**shown, "tokens": message(str(error), "bad"), **dict.fromkeys(PARTS[part], ""), "call": ""}
    # the controls may still stand where a longer text or a larger model had them
    layer, head = min(int(layer), reading.n_layer - 1), min(int(head), reading.n_head - 1)
    token = int(token) if 0 <= int(token) < reading.T else reading.T - 1
    key = int(key) if 0 <= int(key) < reading.T else LAST
    shown["tokens"] = draw_tokens(reading.as_dict(), token, lang)
    if part == "lens":
        shown["lens"] = draw_lens(lens(reading), token, lang)
    elif part == "off":
        shown["off"] = draw_off(switched_off(reading, layer, head, off, token), off, layer, head, lang)
    else:
        found = inspect(reading, layer, head, token, key)
        if part == "prediction":
            shown["next"] = draw_next(found, lang)
        elif part == "embedding":
            shown["embedding"] = draw_embedding(found, lang)
            shown["addresses"] = draw_addresses(addresses(reading, int(shuffle), token), lang)
        elif part == "attention":
            shown["heads"] = draw_heads(found, attention_maps(reading, layer), lang)
            shown["map"] = draw_map(found, step, lang)
            shown["cell"] = draw_cell(found, lang)
        else:
            shown["norms"] = draw_norms(found, lang)
            shown["mlp"] = draw_mlp(found, activations(reading, layer), lang)
    return {**shown, "call": code(call(app, model, words, part, layer, head, token, off), lang)}


def fit(app: App, model: str | None, layer: int, head: int, lang: Language) -> tuple:
    """Return the sliders of layer and head, with as many places as the model has layers and heads."""
    config = app.library.language_model(model).model.config if model else None
    if config is None or config.model_type != "gpt2":
        return gr.skip(), gr.skip()
    return tuple(
        gr.update(maximum=max(1, count - 1), value=min(int(value), count - 1))
        for value, count in ((layer, config.n_layer), (head, config.n_head))
    )


def choose_preset(name: str, lang: Language) -> tuple:
    """Return the preset's text and part, and the last token."""
    return *PRESETS[name], LAST, LAST


def choose_token(evt: gr.EventData, lang: Language) -> tuple[int, int]:
    return int(evt.choice), LAST


def choose_lens_token(evt: gr.EventData, lang: Language) -> tuple[int, int]:
    return int(evt.choice.split(",")[1]), LAST


def choose_head(evt: gr.EventData, lang: Language) -> int:
    return int(evt.choice)


def choose_cell(evt: gr.EventData, lang: Language) -> tuple[int, int]:
    token, key = evt.choice.split(",")
    return int(token), int(key)


def choose_key(evt: gr.EventData, lang: Language) -> int:
    return int(evt.choice)
