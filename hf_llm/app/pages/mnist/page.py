"""Draw a digit: two image classifiers answer side by side, a convolution is written out, one is trained in the page."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.page import App, Page
from hf_llm.app.pages.mnist.answers import (
    SHIFTED_IMAGES,
    SHIFTS,
    accuracy_by_shift,
    ask,
    prepare,
    show_answer,
    show_seen,
)
from hf_llm.app.pages.mnist.board import begin, choose_example, choose_preset, drawn, show_examples
from hf_llm.app.pages.mnist.cell import MAPS, SIDE, show_cell
from hf_llm.app.pages.mnist.models import classifiers, its_source, trained_on
from hf_llm.app.pages.mnist.pictures import open_picture
from hf_llm.app.pages.mnist.study import CURVES, SIZES, show_study
from hf_llm.app.pages.mnist.training import MODELS, build_training
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import behind, code, message
from hf_llm.config import UserError

if TYPE_CHECKING:
    import torch

DRAW = (Path(__file__).parent / "draw.js").read_text(encoding="utf-8")
PRESETS = ("centred", "shifted", "paper", "face")


def build(page: Page) -> None:
    app = page.app
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            board = gr.HTML("", js_on_load=DRAW)
            drawing = gr.Textbox(visible="hidden", label="drawing", container=False)
            invert = gr.Checkbox(True, label=t("mnist.invert"), info=t("mnist.invert_info"))
        with gr.Column(scale=2, min_width=300):
            seen = page.view()
            gr.Markdown(t("mnist.examples_intro"))
            shown_examples = page.view()
    gr.Markdown(t("mnist.presets_intro"))
    with gr.Row():
        buttons = {name: gr.Button(t(f"mnist.preset_{name}"), min_width=140) for name in PRESETS}
    reason = page.view()

    gr.Markdown(t("mnist.answers_intro"))
    with gr.Row():
        chosen, answers = [], []
        for place, kind in enumerate(MODELS):
            with gr.Column(min_width=300):
                names = classifiers(app, kind)
                chosen.append(gr.Dropdown(names, value=next(iter(names), None), label=t(f"mnist.model_{place}")))
                answers.append(page.view())
    call = page.view()
    measure = gr.Button(t("mnist.shift_measure"))
    by_shift = page.view()

    gr.Markdown(t("mnist.cell_intro"))
    with gr.Row():
        feature_map = gr.Slider(0, MAPS - 1, 0, step=1, label=t("mnist.feature_map"))
        row = gr.Slider(0, SIDE - 1, 12, step=1, label=t("mnist.row"))
        column = gr.Slider(0, SIDE - 1, 14, step=1, label=t("mnist.column"))
    cell = page.view()

    gr.Markdown(t("mnist.study_intro"))
    with gr.Row():
        size = gr.Radio([(t(f"mnist.size_{name}"), name) for name in SIZES], value="few", label=t("mnist.size"))
        curve = gr.Radio([(t(f"mnist.curve_of_{name}"), name) for name in CURVES], value="loss", label=t("mnist.curve"))
    study = page.view(elem_classes="report")

    picture = [drawing, invert, *chosen]
    place = [feature_map, row, column]
    page.on(board.select, drawn, [], drawing)
    page.on(
        [control.change for control in picture], partial(show_all, app), [*picture, *place],
        [seen, *answers, call, cell], trigger_mode="always_last",
    )  # fmt: skip
    page.on(
        [control.change for control in place], partial(show_chosen_cell, app), [*picture, *place], cell,
        trigger_mode="always_last",
    )  # fmt: skip
    page.on(cell.select, choose_cell, [], [row, column])
    page.on(shown_examples.select, choose_example, [], [drawing, board, reason])
    for name, button in buttons.items():
        page.on(
            button.click,
            lambda left, lang, name=name: choose_preset(app, name, left, lang),
            chosen[:1],
            [drawing, invert, board, reason],
        )
    page.on(
        measure.click, partial(show_shifts, app), chosen, by_shift, concurrency_id="calculation"
    )  # fmt: skip
    page.on([size.change, curve.change], partial(show_study, app), [size, curve], study)

    page.settings(
        {"left": lambda: classifiers(app, "mlp"), "right": lambda: classifiers(app, "lenet")}, [*buttons.values()],
        drawing=drawing, invert=invert, left=chosen[0], right=chosen[1], feature_map=feature_map, row=row,
        column=column, size=size, curve=curve,
    )  # fmt: skip
    build_training(page, chosen)
    # the picture that it sets is a change, upon which the models answer
    opened = page.opens_with(partial(begin, app), [drawing, chosen[0]], [drawing, board])
    page.on(opened.then, show_examples, [], shown_examples)
    page.on(opened.then, partial(show_study, app), [size, curve], study)


def endpoints(app: App) -> dict:
    def api_classify_digit(image: str, model: str) -> dict[str, float]:
        """Classify one digit: the base64 text of a PNG of any size up to 1024×1024, dark on light or light on dark.

        The model is a name that the page lists. Returns the probability of each class.
        """
        answer = ask(app.library.image_classifier(model), prepare(open_picture(image)))
        return dict(zip(answer.labels, answer.probabilities.tolist(), strict=True))

    return {"classify_digit": api_classify_digit}


def choose_cell(evt: gr.EventData, lang: Language) -> tuple[int, int]:
    """Return row and column of the pressed cell."""
    row, _, column = str(evt.choice).partition(",")
    if not (row.isdecimal() and column.isdecimal() and int(row) < SIDE and int(column) < SIDE):
        raise UserError(text("mnist.no_cell", lang))
    return int(row), int(column)


def show_all(
    app: App, drawing: str, invert: bool, left: str | None, right: str | None, feature_map: int, row: int, column: int,
    lang: Language,
) -> list[str]:  # fmt: skip
    """Return what the models see, both answers, the call, the convolution; for a bad picture a sentence alone."""
    try:
        image = open_picture(drawing, lang)
        pixel_values = prepare(image, invert)
    except UserError as error:
        return [message(str(error), "bad"), "", "", "", ""]
    names = [name for name in (left, right) if name]
    missing = message(text("mnist.no_model", lang))
    shown = [
        show_answer(name, trained_on(app, name), ask(app.library.image_classifier(name), pixel_values), lang)
        if name else missing for name in (left, right)
    ]  # fmt: skip
    source = (
        "from transformers import AutoImageProcessor, AutoModelForImageClassification\n\n"
        f"folder = {app.library.address(names[0])!r}\n"
        "processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)\n"
        "model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()\n"
        f'pixel_values = processor(image, do_invert={bool(invert)}, return_tensors="pt").pixel_values\n'
        "model(pixel_values=pixel_values).logits.softmax(-1)"
    ) if names else ""  # fmt: skip
    return [
        show_seen(image, pixel_values, lang), *shown, code(source, lang) if source else "",
        _cell(app, names, pixel_values, feature_map, row, column, lang),
    ]  # fmt: skip


def show_chosen_cell(app: App, drawing: str, invert: bool, left: str | None, right: str | None, *rest) -> str:
    """Return the convolution alone, for another map, row or column; errors of the picture are shown elsewhere."""
    *place, lang = rest
    try:
        pixel_values = prepare(open_picture(drawing, lang), invert)
    except UserError:
        return ""
    return _cell(app, [name for name in (left, right) if name], pixel_values, *place, lang)


def _cell(
    app: App, names: list[str], pixel_values: "torch.Tensor", feature_map: int, row: int, column: int, lang: Language
) -> str:
    from hf_llm.models.modeling_lenet import LeNetForImageClassification

    for name in names:
        model = app.library.image_classifier(name)
        if isinstance(model, LeNetForImageClassification):
            return show_cell(name, model, pixel_values, int(feature_map), int(row), int(column), lang)
    return message(text("mnist.no_lenet", lang))


def show_shifts(app: App, left: str | None, right: str | None, lang: Language) -> str:
    """Return the accuracy of both models on test digits that are moved to the left, pixel by pixel."""
    names = list(dict.fromkeys(name for name in (left, right) if name))
    if not names:
        return message(text("mnist.no_model", lang))
    source = its_source(app, left)
    shares = {name: accuracy_by_shift(app.library.image_classifier(name), source) for name in names}
    title = text(
        "mnist.shift_title", lang, images=SHIFTED_IMAGES, source=text(f"mnist.examples_{source}", lang)
    )  # fmt: skip
    lines = [Line(name, list(zip(SHIFTS, values)), place) for place, (name, values) in enumerate(shares.items())]
    records = [{"pixels": pixels, **{name: values[place] for name, values in shares.items()}}
               for place, pixels in enumerate(SHIFTS)]  # fmt: skip
    headings = {key: text("mnist.pixels", lang) if key == "pixels" else key for key in records[0]}
    drawn_lines = line_chart(lines, title, text("mnist.pixels", lang), text("mnist.accuracy", lang), lang)
    return drawn_lines + behind("accuracy-by-shift", records, headings, title, lang)
