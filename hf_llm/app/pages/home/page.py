"""The first page is the lesson: a step at a time, on one sentence; below it the models and the rest of the app.

The result stands beside the control. What a reader has predicted is kept in this browser.
"""

import gradio as gr

from hf_llm.app.drawing import Choice, Drawing
from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.home import lesson
from hf_llm.app.pages.home.answers import show, train_first
from hf_llm.app.pages.home.lesson import NAMES, SENTENCES, STEPS
from hf_llm.app.pages.inside.page import SCRIPT
from hf_llm.app.pages.train.page import EVERY, last_training, this_browser

DRAWN = ("verdict", "seen", "why", "below", "further", "language")  # parts that change with a step's controls
MOVE = "(step) => {{ const all = {names}, i = Math.max(0, all.indexOf(step)) + {by}; return all[i] ?? step; }}"


def build(page: Page) -> None:
    app = page.app
    names = app.library.language_models()
    step = gr.Textbox(NAMES[0], visible="hidden", label="step", container=False)
    made = gr.BrowserState({}, storage_key="hf_llm_lesson", secret="a prediction, no secret")
    parts = {"path": page.view()}
    train, progress = gr.Button(t("home.train_first"), variant="primary", visible=False), page.view()
    controls, needs = {}, {}
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            with gr.Row(visible=False) as parts["sentence"]:
                text = gr.Textbox(
                    SENTENCES["pt-BR"], label=t("home.sentence"), max_length=app.config.max_characters, lines=1,
                    scale=2, min_width=200, elem_classes="projected",
                )  # fmt: skip
                model = gr.Dropdown(
                    names,
                    value=next(iter(names), None),
                    label=t("app.model"),
                    scale=1,
                    min_width=185,
                    elem_classes="projected",
                )
            parts["language"] = page.view()
            parts["asked"] = page.view()
            parts["choice"] = choice = gr.Radio([], label=t("home.prediction"), elem_classes="projected")
        with gr.Column(scale=3, min_width=320, elem_classes="doing"):  # the result below its control, both in view
            parts["verdict"] = page.view()
            for name in NAMES:
                with gr.Column(visible=False) as parts[f"column {name}"]:
                    if STEPS[name].predicts:
                        gr.Markdown(t(f"{name}.do"))
                    own = {f"{name}_{control}": each for control, each in STEPS[name].controls().items()}
                    for control in own.values():  # a class is shown what changes when they do
                        control.elem_classes = [*control.elem_classes, "projected"]
                    controls |= own
                    if STEPS[name].layered:
                        parts[f"layer of {name}"] = own[f"{name}_layer"]
                    needs |= {key: {"step": [name]} for key in own}
            parts["seen"] = page.view()
            parts["why"] = page.view()
            parts["train_network"] = network = gr.Button(t("home.train_network"), variant="primary", visible=False)
            network_progress = page.view()
    with gr.Row():
        parts["back"] = back = gr.Button(t("home.back"), scale=1, elem_classes="projected")
        parts["forward"] = forward = gr.Button(t("home.forward"), variant="primary", scale=2, elem_classes="projected")
    parts["below"] = page.view(SCRIPT)
    parts["further"] = page.view()
    with gr.Accordion(t("home.models"), open=False):
        models = page.view()

    given = {"step": step, "text": text, "model": model, "made": made, **controls}

    around = {name: part for name, part in parts.items() if name not in DRAWN}

    def opened(app, **given) -> dict:
        return {around[name]: value for name, value in lesson.open_step(app, **given).items()}

    def then(event, script: str) -> None:
        event.then(None, None, None, js=script, api_visibility="private")

    def opens(event, anew: bool = False):
        """Open the step at an event: what lies around its drawing, and at the same time the drawing."""
        page.redraws(event, anew)
        return page.on(event, opened, given, [*around.values()])

    choices = {
        "seen": Choice(parts["seen"], lesson.choose),
        "below": Choice(parts["below"], lesson.choose_in_picture),
    }
    drawing = Drawing(lesson.draw, given, {name: parts[name] for name in DRAWN}, choices)
    page.draws(drawing)
    page.redraws([control.change for control in (text, model, *controls.values())])
    then(opens(step.change), "() => scrollTo(0, 0)")
    predicted = page.on(choice.input, lesson.predict, {"step": step, "choice": choice, "made": made}, made)
    then(opens(predicted.success), "() => hf_llm.show('.doing')")
    page.chosen(parts["path"], lesson.go, {}, step)
    for button, by in ((back, -1), (forward, 1)):
        button.click(None, step, step, js=MOVE.format(names=list(NAMES), by=by), api_visibility="private")

    page.settings(
        {"model": app.library.language_models}, texts={"text": SENTENCES.get}, needs=needs,
        step=step, text=text, model=model, **controls,
    )  # fmt: skip
    opening = opens(page.opens().then)
    owner = this_browser()
    first_model(page, opening, owner, train, progress, models, model)
    looked = first_network(page, opening, owner, network, network_progress)
    opens(looked.then, anew=True)  # there may be a network now


def first_model(
    page: Page,
    opening,
    owner: gr.BrowserState,
    train: gr.Button,
    progress: gr.HTML,
    models: gr.HTML,
    model: gr.Dropdown,
) -> None:
    """Bind the training of the first language model, and the table of all."""
    last, timer = last_training(), gr.Timer(EVERY, active=False)
    look, shown = {"last": last}, [models, train, progress, timer]
    started = page.on(train.click, train_first, {"owner": owner}, [last, owner])
    page.on(started.success, show, look, shown)
    page.on(opening.then, show, look, shown)
    looked = page.on(timer.tick, show, look, shown)
    page.on(looked.then, lesson.models_now, {"model": model}, model)


def first_network(page: Page, opening, owner: gr.BrowserState, train: gr.Button, progress: gr.HTML):
    """Bind the training of the first network that reads digits; return the event of a look at it."""
    run = gr.BrowserState("", storage_key="hf_llm_digits_training", secret="a name, no secret")
    timer = gr.Timer(EVERY, active=False)
    look, shown = {"run": run}, [progress, timer]
    started = page.on(train.click, lesson.train_network, {"owner": owner}, [run, owner])
    page.on(started.success, lesson.look_at_network, look, shown)
    page.on(opening.then, lesson.look_at_network, look, shown)
    return page.on(timer.tick, lesson.look_at_network, look, shown)
