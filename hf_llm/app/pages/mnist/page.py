"""Draw a digit: two image classifiers answer side by side, a convolution is written out, one is trained in the page."""

from pathlib import Path

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.mnist import answers
from hf_llm.app.pages.mnist.answers import classifiers
from hf_llm.app.pages.mnist.convolution import MAPS, SIDE
from hf_llm.app.pages.mnist.recipe import DATA, FEWEST_STEPS, MODELS, MOST_IMAGES, SETTINGS, preset_settings
from hf_llm.app.pages.mnist.recipe import PRESETS as TRAININGS
from hf_llm.app.pages.mnist.study import CURVES, SIZES
from hf_llm.app.pages.train.page import this_browser

DRAW = (Path(__file__).parent / "draw.js").read_text(encoding="utf-8")
PRESETS = ("centred", "shifted", "paper", "face")
POLL = 1.5  # seconds between two looks at a running training


def build(page: Page) -> None:
    app = page.app
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            board = gr.HTML("", js_on_load=DRAW)
            drawing = gr.Textbox(visible="hidden", label="drawing", container=False)
            find = gr.Checkbox(True, label=t("mnist.find"), info=t("mnist.find_info"))
        with gr.Column(scale=2, min_width=300):
            seen = page.view()
            gr.Markdown(t("mnist.examples_intro"))
            examples = page.view()
    with gr.Accordion(t("mnist.presets_title"), open=False):
        gr.Markdown(t("mnist.presets_intro"))
        with gr.Row():
            presets = {name: gr.Button(t(f"mnist.preset.{name}"), min_width=140) for name in PRESETS}
        reason = page.view()

    gr.Markdown(t("mnist.answers_intro"))
    kinds = page.view()
    lenet, state = gr.Button(t("mnist.train_lenet"), visible=False), page.view()
    models, shown = {}, []
    with gr.Row():
        for side, kind in zip(("left", "right"), MODELS):
            with gr.Column(min_width=300):
                names = classifiers(app, kind)
                models[side] = gr.Dropdown(names, value=next(iter(names), None), label=t(f"mnist.side.{side}"))
                shown.append(page.view())
    call = page.view()
    measure = gr.Button(t("mnist.shift_measure"))
    by_shift = page.view()

    with gr.Accordion(t("mnist.cell_title"), open=False):
        gr.Markdown(t("mnist.cell_intro"))
        with gr.Row() as sliders:
            feature_map = gr.Slider(0, MAPS - 1, 0, step=1, label=t("mnist.feature_map"))
            row = gr.Slider(0, SIDE - 1, 12, step=1, label=t("mnist.row"))
            column = gr.Slider(0, SIDE - 1, 14, step=1, label=t("mnist.column_of_map"))
        cell = page.view()

    with gr.Accordion(t("mnist.study_title"), open=False):
        gr.Markdown(t("mnist.study_intro"))
        with gr.Row():
            size = gr.Radio([(t(f"mnist.size.{name}"), name) for name in SIZES], value="few", label=t("mnist.sizes"))
            curve = gr.Radio(
                [(t(f"mnist.curve.{name}"), name) for name in CURVES], value="loss", label=t("mnist.curves")
            )
        study = page.view(elem_classes="report")

    picture = {"drawing": drawing, "find": find, **models}
    position = {"feature_map": feature_map, "row": row, "column": column}
    page.on(
        [control.change for control in picture.values()], answers.show_all, {**picture, **position},
        [seen, *shown, call, cell], trigger_mode="always_last",
    )  # fmt: skip
    page.on(
        [control.change for control in position.values()], answers.show_cell, {**picture, **position}, cell,
        trigger_mode="always_last",
    )  # fmt: skip
    compared = (answers.show_kinds, models, [kinds, lenet, sliders])
    page.on([control.change for control in models.values()], *compared, trigger_mode="always_last")
    page.chosen(board, answers.drawn, {}, drawing)
    page.chosen(cell, answers.choose_cell, {}, [row, column])
    page.chosen(examples, answers.choose_example, {}, [drawing, board, reason])
    for name, button in presets.items():

        def choose(app, *, left, lang, name=name):
            return answers.choose_preset(app, name=name, left=left, lang=lang)

        page.on(button.click, choose, {"left": models["left"]}, [drawing, find, board, reason])
    page.on(measure.click, answers.show_shifts, models, by_shift, kind="calculation")
    page.on([size.change, curve.change], answers.show_study, {"size": size, "curve": curve}, study)

    page.settings(
        {"left": lambda lang: classifiers(app, "mlp"), "right": lambda lang: classifiers(app, "lenet")},
        [*presets.values(), lenet], **picture, **position, size=size, curve=curve,
    )  # fmt: skip
    look_again = build_training(page, [*models.values()], lenet, state)
    # the picture that it sets is a change, upon which the models answer
    opened = page.opens_with(answers.begin, {"drawing": drawing, "left": models["left"]}, [drawing, board])
    page.on(opened.then, *compared)
    page.on(opened.then, *look_again)
    page.on(opened.then, answers.show_examples, {}, examples)
    page.on(opened.then, answers.show_study, {"size": size, "curve": curve}, study)


def build_training(page: Page, models: list[gr.Dropdown], lenet: gr.Button, state: gr.HTML) -> tuple:
    """Lay out and bind the part that trains a classifier.

    Args:
        page: The page.
        models: The two lists; a finished one is chosen in its own.
        lenet: A button that trains a LeNet as the recipe does.
        state: A view beside that button, which says how that training goes.

    Returns:
        What is called when the page opens: a training that this browser started before goes on to be watched.
    """
    most = max(page.app.config.training_steps, FEWEST_STEPS + 1)  # a slider has two ends
    first = preset_settings("sound", most)

    def label(name: str) -> dict:
        return {"value": first[name], "label": t(f"mnist.setting.{name}")}

    with gr.Accordion(t("mnist.train_title"), open=False):
        gr.Markdown(t("mnist.train_intro"))
        with gr.Row():
            presets = {name: gr.Button(t(f"mnist.train_preset.{name}"), min_width=140) for name in TRAININGS}
        reason = page.view()
        with gr.Row():
            model = gr.Radio([*MODELS], **label("model"))
            data = gr.Radio([(t(f"mnist.data.{name}"), name) for name in DATA], **label("data"))
            steps = gr.Slider(FEWEST_STEPS, most, step=1, **label("steps"))
        with gr.Row():
            rate = gr.Number(minimum=0, maximum=10, info=t("mnist.rate_info"), **label("learning_rate"))
            dropout = gr.Slider(0, 0.9, step=0.1, **label("dropout"))
            images = gr.Number(
                minimum=0, maximum=MOST_IMAGES, precision=0, info=t("mnist.images_info"), **label("train_images")
            )
        with gr.Row():
            train = gr.Button(t("mnist.train"), variant="primary")
            stop = gr.Button(t("mnist.stop"), variant="stop")
    run = gr.BrowserState("", storage_key="hf_llm_digits_training", secret="a name, no secret")
    owner, shown, timer = this_browser(), page.view(), gr.Timer(POLL, active=False)
    controls = dict(zip(SETTINGS, (model, data, steps, rate, dropout, images), strict=True))
    for name, button in presets.items():

        def choose(app, *, lang, name=name):
            return answers.choose_training(app, name=name, lang=lang)

        page.on(button.click, choose, {}, [reason, *controls.values()])

    look, seen = {"run": run}, [shown, timer, *models, state]
    for button, start, given in ((train, answers.start, controls), (lenet, answers.start_lenet, {})):
        started = page.on(button.click, start, {**given, "owner": owner}, [run, owner])
        page.on(started.success, answers.look, look, seen)
    page.on(timer.tick, answers.look, look, seen)
    page.on(stop.click, answers.stop, {**look, "owner": owner}, shown)
    page.settings(locks=[*presets.values()], **controls)
    return answers.look_again, look, seen
