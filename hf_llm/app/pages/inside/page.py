"""Inside a GPT-2: one text, one chosen token, and what each component of the model makes of it."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.inside import answers
from hf_llm.app.pages.inside.answers import LAST, PARTS, PRESETS
from hf_llm.app.pages.inside.attention import STEPS

MOST_LAYERS, MOST_HEADS = 48, 25  # those of the largest GPT-2, until a model was chosen


def build(page: Page) -> None:
    app = page.app
    models = app.library.language_models()
    with gr.Row():
        preset = gr.Dropdown(
            [(t(f"inside.preset.{name}"), name) for name in PRESETS], value="cat", label=t("app.preset")
        )
        model = gr.Dropdown(models, value=models[0] if models else None, label=t("app.model"))
    views = {"why": page.view()}
    text = gr.Textbox(PRESETS["cat"].text, label=t("inside.text"), lines=2, max_length=app.config.max_characters)
    token = gr.Number(LAST, precision=0, visible="hidden", label="token")  # chosen by clicking a token
    key = gr.Number(LAST, precision=0, visible="hidden", label="key")  # chosen by clicking a cell
    gr.Markdown(t("inside.choose_token"))
    views["tokens"] = page.view()
    part = gr.Radio([(t(f"inside.part.{name}"), name) for name in PARTS], value="attention", label=t("inside.see"))
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
        step = gr.Radio([(t(f"inside.step.{name}"), name) for name in STEPS], value="softmax", label=t("inside.steps"))
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
        off = gr.Radio(
            [(t(f"inside.off.{name}"), name) for name in ("head", "heads", "mlp")], value="head",
            label=t("inside.switch_off"),
        )  # fmt: skip
        views["off"] = page.view()
    views["call"] = page.view()

    controls = dict(
        preset=preset, model=model, text=text, part=part, layer=layer, head=head, token=token, key=key, step=step,
        shuffle=shuffle, off=off,
    )  # fmt: skip
    cell = [token, key]

    def redraw(app, **given) -> dict:
        return {views[name]: drawn for name, drawn in answers.show(app, **given).items()}

    def turn(app, *, part: str, lang: str) -> dict:
        shown = {column: gr.update(visible=name == part) for name, column in columns.items()}
        asks_layer = gr.update(visible=part in ("attention", "stream", "off"))
        return {**shown, where: asks_layer, head: gr.update(visible=part != "stream")}

    changes = [control.change for control in controls.values() if control is not preset]
    page.on(changes, redraw, controls, [*views.values()], trigger_mode="always_last")
    page.on(part.change, turn, {"part": part}, [*columns.values(), where, head])
    fit = {"model": model, "layer": layer, "head": head}
    page.on(model.change, answers.fit, fit, [layer, head])
    # `input` is the reader's own choice: a link that restores the list must not undo the text that it restores
    page.on(preset.input, answers.choose_preset, {"preset": preset}, [text, part, *cell])
    page.chosen(views["tokens"], answers.choose_token, {}, cell)
    page.chosen(views["lens"], answers.choose_lens_token, {}, cell)
    page.chosen(views["heads"], answers.choose_number, {}, head)
    page.chosen(views["map"], answers.choose_cell, {}, cell)
    page.chosen(views["cell"], answers.choose_number, {}, key)

    page.settings({"model": app.library.language_models}, locks=[preset], **controls)
    opened = page.opens_with(answers.fit, fit, [layer, head])
    page.on(opened.then, redraw, controls, [*views.values()])
