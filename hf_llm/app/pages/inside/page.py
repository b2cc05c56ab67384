"""The page inside a GPT-2: the picture of a text going through it, and beside it the view of what was clicked there."""

import json
from pathlib import Path

import gradio as gr

from hf_llm.app.drawing import Drawing
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

    drawn = gr.State("")  # what the views show: a list that was set with them has changed, and is drawn already

    def redraw(app, *, part: str, drawn_before: str, **given) -> dict:
        now = json.dumps({"part": part, **given})
        if now == drawn_before:
            return {drawn: now}
        opened = {column: gr.update(visible=name == part) for name, column in columns.items()}
        views_now = {views[name]: html for name, html in answers.show(app, part=part, **given).items()}
        return {drawn: now, **opened, **views_now}

    shown = {name: control for name, control in controls.items() if control is not preset}
    picture = Drawing(redraw, {**shown, "drawn_before": drawn}, [drawn, *columns.values(), *views.values()])
    # what sets layer and head draws, too
    changes = [control.change for control in (model, text, part, token, key, place, shuffle)]
    page.on([*changes, step.input, off.input], redraw, picture.controls, picture.views, trigger_mode="always_last")
    cell = [token, key]
    page.picked(preset, answers.choose_preset, [text, part, *cell], picture)
    # of another text the chosen token is another one, if there is any; a link that restores a text has its own
    page.on(text.input, answers.last_token, {}, cell)
    asks = {"text": text, "model": model, "layer": layer, "head": head, "off": off}
    sets = [controls[name] for name in answers.CHOSEN]
    page.chosen(views["picture"], answers.choose_in_picture, asks, sets, picture)
    page.chosen(views["lens"], answers.choose_lens_token, {}, cell, picture)
    page.chosen(views["heads"], answers.choose_number, {}, head, picture)
    page.chosen(views["map"], answers.choose_cell, {}, cell, picture)
    page.chosen(views["cell"], answers.choose_number, {}, key, picture)

    needs = {name: {"part": [one]} for name, one in answers.ONLY_IN.items()}
    needs["preset"] = {"text": [each.text for each in PRESETS.values()]}
    opens = {"preset": cat_of, "text": lambda lang: PRESETS[cat_of(lang)].text}
    page.settings({"model": app.library.language_models}, [preset], opens, needs, **controls)
    page.opens_with(redraw, picture.controls, picture.views)
