"""The page inside a GPT-2: the picture of a text going through it, and beside it the view of what was clicked there."""

import json
from pathlib import Path

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.inside import answers
from hf_llm.app.pages.inside.answers import LAST, OFF, PARTS
from hf_llm.app.pages.inside.attention import STEPS
from hf_llm.app.pages.inside.presets import PRESETS, cat_of
from hf_llm.app.pages.inside.vectors import PLACES

SCRIPT = (Path(__file__).parent / "picture.js").read_text(encoding="utf-8")


def build(page: Page) -> None:
    app = page.app
    models = app.library.language_models()
    views = {}
    with gr.Row():
        preset = gr.Dropdown(
            [(t(f"inside.preset.{name}"), name) for name in PRESETS], value="cat", label=t("app.preset")
        )
        model = gr.Dropdown(models, value=models[0] if models else None, label=t("app.model"))
        text = gr.Textbox(
            PRESETS["cat"].text,
            label=t("inside.text"),
            lines=1,
            max_lines=1,
            max_length=app.config.max_characters,
            scale=2,
        )
    # chosen in the picture: kept here for links and for the views
    layer, head, token, key = (
        gr.Number(value, precision=0, minimum=LAST, maximum=999, visible="hidden", label=name)
        for name, value in (("layer", 0), ("head", 0), ("token", LAST), ("key", LAST))
    )
    with gr.Row():
        with gr.Column(scale=5, min_width=640):
            views["picture"] = page.view(SCRIPT)
            views["why"] = page.view()
        with gr.Column(scale=2, min_width=320, elem_classes="beside"):
            part = gr.Dropdown(
                [(t(f"inside.part.{name}"), name) for name in PARTS], value="attention", label=t("inside.see")
            )
            columns = {}
            with gr.Column(visible=False) as columns["prediction"]:
                views["next"] = page.view()
                gr.Markdown(t("inside.prediction_intro"))
            with gr.Column(visible=False) as columns["embedding"]:
                views["embedding"] = page.view()
                gr.Markdown(t("inside.embedding_intro"))
                gr.Markdown(t("inside.addresses_intro"))
                shuffle = gr.Slider(0, 99, 1, step=1, label=t("inside.shuffle"))
                views["addresses"] = page.view()
            with gr.Column() as columns["attention"]:
                views["map"] = page.view()
                step = gr.Radio(
                    [(t(f"inside.step.{name}"), name) for name in STEPS], value="softmax", label=t("inside.steps")
                )
                views["cell"] = page.view()
                gr.Markdown(t("inside.attention_intro"))
                views["heads"] = page.view()
            with gr.Column(visible=False) as columns["stream"]:
                views["norms"] = page.view()
                gr.Markdown(t("inside.norms_intro"))
                views["mlp"] = page.view()
                gr.Markdown(t("inside.mlp_intro"))
            with gr.Column(visible=False) as columns["lens"]:
                views["lens"] = page.view()
                gr.Markdown(t("inside.lens_intro"))
            with gr.Column(visible=False) as columns["vectors"]:
                views["vectors"] = page.view()
                place = gr.Dropdown(
                    [(t(f"inside.stage.{name}"), name) for name in PLACES], value="mixed", label=t("inside.place")
                )
                gr.Markdown(t("inside.vectors_intro"))
            with gr.Column(visible=False) as columns["off"]:
                off = gr.Radio(
                    [(t(f"inside.off.{name}"), name) for name in OFF], value="nothing", label=t("inside.switch_off")
                )
                views["off"] = page.view()
                gr.Markdown(t("inside.off_intro"))
    gr.Markdown(t("inside.about"))
    views["call"] = page.view()

    controls = dict(
        preset=preset, model=model, text=text, part=part, layer=layer, head=head, token=token, key=key, step=step,
        place=place, shuffle=shuffle, off=off,
    )  # fmt: skip
    cell = [token, key]

    drawn = gr.State("")  # what the views show; a click draws it and sets controls, whose change draws it no more

    def redraw(app, drawn_before: str = "", **given) -> dict:
        now = json.dumps(given)
        if now == drawn_before:
            return {drawn: now}
        return {drawn: now, **{views[name]: html for name, html in answers.show(app, **given).items()}}

    def turn(app, *, part: str, lang: str) -> dict:
        return {column: gr.update(visible=name == part) for name, column in columns.items()}

    changes = [control.change for control in controls.values() if control is not preset]
    shown = {name: control for name, control in controls.items() if control is not preset}
    outputs = [drawn, *views.values()]
    page.on(changes, redraw, {**shown, "drawn_before": drawn}, outputs, trigger_mode="always_last")
    page.on(part.change, turn, {"part": part}, [*columns.values()])
    # `input` is the reader's own choice: a link that restores the list must not undo the text that it restores
    page.on(preset.input, answers.choose_preset, {"preset": preset}, [text, part, *cell])
    page.on(
        text.input, answers.last_token, {}, cell
    )  # of another text the chosen token is another one, if there is any
    asks = {"text": text, "model": model, "layer": layer, "head": head, "off": off}
    sets = [controls[name] for name in answers.CHOSEN]
    page.chosen(views["picture"], answers.choose_in_picture, asks, sets, (redraw, shown, outputs))
    page.chosen(views["lens"], answers.choose_lens_token, {}, cell)
    page.chosen(views["heads"], answers.choose_number, {}, head)
    page.chosen(views["map"], answers.choose_cell, {}, cell)
    page.chosen(views["cell"], answers.choose_number, {}, key)

    needs = {name: {"part": [one]} for name, one in answers.ONLY_IN.items()}
    needs["preset"] = {"text": [each.text for each in PRESETS.values()]}
    opens = {"preset": cat_of, "text": lambda lang: PRESETS[cat_of(lang)].text}
    page.settings({"model": app.library.language_models}, [preset], opens, needs, **controls)
    page.opens_with(redraw, shown, outputs)
