"""The page inside a GPT-2: the picture of a text going through it, and beside it the view of what was clicked there."""

from pathlib import Path

import gradio as gr

from hf_llm.app.drawing import Choice, Drawing
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
            with gr.Column(elem_classes="part part-prediction"):
                views["next"] = page.view()
                gr.Markdown(t("inside.prediction_intro"))
            with gr.Column(elem_classes="part part-embedding"):
                views["embedding"] = page.view()
                gr.Markdown(t("inside.embedding_intro"))
                gr.Markdown(t("inside.addresses_intro"))
                shuffle = gr.Slider(0, 99, 1, step=1, label=t("inside.shuffle"))
                views["addresses"] = page.view()
            with gr.Column(elem_classes="part part-attention"):
                views["map"] = page.view()
                step = gr.Radio(
                    [(t(f"inside.step.{name}"), name) for name in STEPS], value="softmax", label=t("inside.steps")
                )
                views["cell"] = page.view()
                gr.Markdown(t("inside.attention_intro"))
                views["heads"] = page.view()
            with gr.Column(elem_classes="part part-stream"):
                views["norms"] = page.view()
                gr.Markdown(t("inside.norms_intro"))
                views["mlp"] = page.view()
                gr.Markdown(t("inside.mlp_intro"))
            with gr.Column(elem_classes="part part-lens"):
                views["lens"] = page.view()
                gr.Markdown(t("inside.lens_intro"))
            with gr.Column(elem_classes="part part-vectors"):
                views["vectors"] = page.view()
                place = gr.Dropdown(
                    [(t(f"inside.stage.{name}"), name) for name in PLACES], value="mixed", label=t("inside.place")
                )
                gr.Markdown(t("inside.vectors_intro"))
            with gr.Column(elem_classes="part part-off"):
                off = gr.Radio(
                    [(t(f"inside.off.{name}"), name) for name in OFF], value="nothing", label=t("inside.switch_off")
                )
                views["off"] = page.view()
                gr.Markdown(t("inside.off_intro"))
    gr.Markdown(t("inside.about"))
    views["call"] = page.view()

    controls = dict(
        model=model, text=text, part=part, layer=layer, head=head, token=token, key=key, step=step, place=place,
        shuffle=shuffle, off=off,
    )  # fmt: skip
    choices = {
        "preset": Choice(preset, answers.choose_preset),
        "text": Choice(text, answers.write),
        "picture": Choice(views["picture"], answers.choose_in_picture),
        "lens": Choice(views["lens"], answers.choose_in_lens),
        "map": Choice(views["map"], answers.choose_in_map),
        "heads": Choice(views["heads"], answers.choose_head),
        "cell": Choice(views["cell"], answers.choose_key),
    }
    page.draws(Drawing(answers.show, controls, views, choices))
    page.redraws([control.change for control in (model, part, step, place, shuffle, off)])

    needs = {name: {"part": [one]} for name, one in answers.ONLY_IN.items()}
    needs["preset"] = {"text": [each.text for each in PRESETS.values()]}
    opens = {"preset": cat_of, "text": lambda lang: PRESETS[cat_of(lang)].text}
    page.settings({"model": app.library.language_models}, [preset], opens, needs, preset=preset, **controls)
    page.redraws(page.opens().then)
