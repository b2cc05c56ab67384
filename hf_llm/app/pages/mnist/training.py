"""An image classifier trained in the page: the project's script as a process, its curves while it runs."""

from functools import partial

import gradio as gr

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.page import App, Page
from hf_llm.app.pages.mnist.models import classifiers
from hf_llm.app.server.trainings import Training
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import behind, code, message, number
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest

MODELS = ("mlp", "lenet")
DATA = ("digits", "mnist")
FEWEST_STEPS = 60  # the configs' warm-up takes 50
MOST_IMAGES = 50_000
EVALUATIONS = 8
# name: model, data, steps, learning_rate, dropout, train_images
PRESETS = {
    "sound": ("mlp", "digits", 200, 0.002, 0.0, 0),
    "exploding": ("mlp", "digits", 200, 1.0, 0.0, 0),
    "overfitting": ("mlp", "digits", 400, 0.002, 0.0, 40),
}
POLL = 1.5  # seconds between two looks at a running training


def build_training(page: Page, chosen: list[gr.Dropdown]) -> None:
    """Lay out and bind the part that trains a classifier; a finished one is chosen in its list in `chosen`."""
    app = page.app
    first = PRESETS["sound"]
    gr.Markdown(t("mnist.train_intro"))
    with gr.Row():
        presets = {name: gr.Button(t(f"mnist.train_{name}"), min_width=140) for name in PRESETS}
    reason = page.view()
    with gr.Row():
        model = gr.Radio(list(MODELS), value=first[0], label=t("mnist.model"))
        data = gr.Radio([(t(f"mnist.data_{name}"), name) for name in DATA], value=first[1], label=t("mnist.data"))
        steps = gr.Slider(
            FEWEST_STEPS, app.config.training_steps, first[2], step=1, label=t("mnist.steps_asked")
        )  # fmt: skip
    with gr.Row():
        rate = gr.Number(first[3], minimum=0, maximum=10, label=t("mnist.learning_rate"), info=t("mnist.rate_info"))
        dropout = gr.Slider(0, 0.9, first[4], step=0.1, label=t("mnist.dropout"))
        images = gr.Number(
            first[5], minimum=0, maximum=MOST_IMAGES, precision=0, label=t("mnist.train_images"),
            info=t("mnist.images_info"),
        )  # fmt: skip
    with gr.Row():
        train = gr.Button(t("mnist.train"), variant="primary")
        stop = gr.Button(t("mnist.stop"), variant="stop")
    name = gr.State(None)
    shown = page.view()
    timer = gr.Timer(POLL, active=False)
    controls = [model, data, steps, rate, dropout, images]
    for key, button in presets.items():
        page.on(
            button.click, lambda lang, key=key: [message(text(f"mnist.why_{key}", lang)), *PRESETS[key]], [],
            [reason, *controls],
        )  # fmt: skip

    def look(name: str | None, lang: Language):
        found = app.trainings.get(name) if name else None
        lists = [gr.skip(), gr.skip()]
        running = found is not None and found.state == "running"
        if found is not None and found.state == "finished":
            lists = [
                gr.update(choices=names, **({"value": name} if name.split("/")[-1].startswith(kind) else {}))
                for kind in MODELS
                for names in [classifiers(app, kind)]
            ]
        return [show(found, lang), gr.Timer(active=running), *lists]

    def end(name: str | None, lang: Language) -> str:
        if found := name and app.trainings.get(name):
            found.end("stopped")
        return show(found or None, lang)

    started = page.on(train.click, partial(start, app), controls, name)
    page.on(started.success, look, [name], [shown, timer, *chosen])
    page.on(timer.tick, look, [name], [shown, timer, *chosen])
    page.on(stop.click, end, [name], shown)
    page.settings(
        model=model, data=data, steps=steps, learning_rate=rate, dropout=dropout, train_images=images
    )  # fmt: skip


def start(
    app: App, model: str, data: str, steps: float, learning_rate: float, dropout: float, train_images: float,
    lang: Language,
) -> str:  # fmt: skip
    """Start a training and return its name.

    Args:
        app: What the pages share.
        model: One of `MODELS`.
        data: One of `DATA`.
        steps: Optimizer steps.
        learning_rate: Its peak.
        dropout: Share of hidden units.
        train_images: How many images to train on; 0 for all.

    Raises:
        UserError: When a value is impossible here, or another training is running.
    """
    most = app.config.training_steps
    known = model in MODELS and data in DATA
    if not (
        known and FEWEST_STEPS <= (steps or 0) <= most and 0 < (learning_rate or 0) <= 10
        and 0 <= (dropout or 0) <= 0.9 and 0 <= (train_images or 0) <= MOST_IMAGES
    ):  # fmt: skip
        raise UserError(text("mnist.impossible", lang, fewest=FEWEST_STEPS, most=most, images=MOST_IMAGES))
    command = [
        "scripts/train_mnist.py", "--config", f"configs/mnist/{model}.yaml", "--data", data,
        "--max_steps", str(int(steps)), "--learning_rate", f"{learning_rate:g}", "--dropout", f"{dropout or 0:g}",
        "--eval_steps", str(int(steps) // EVALUATIONS), "--logging_steps", str(int(steps) // (4 * EVALUATIONS) or 1),
        "--train_figures", "1000", "--threads", "1",
    ]  # fmt: skip
    if train_images:
        command += ["--train_images", str(int(train_images))]
    return app.trainings.start(model, command, lang=lang).name


def show(training: Training | None, lang: Language) -> str:
    """Return how a training goes: its state in a sentence, its curves, the command."""
    if training is None:
        return message(text("mnist.none_running", lang))
    return _state(training, lang) + _curves(training, lang) + code(training.shown_command(), lang, "common.command")


def _state(training: Training, lang: Language) -> str:
    state = training.state
    if state == "failed":
        return message(text("mnist.state_failed", lang, reason=training.last_words()), "bad")
    if state == "finished":
        manifest = read_manifest(training.folder) or {}
        accuracy = manifest.get("metrics", {}).get("validation", {}).get("accuracy", 0.0)
        percent = number(100 * accuracy, lang, 1)
        return message(text("mnist.state_finished", lang, name=training.name, percent=percent), "good")
    return message(text(f"mnist.state_{state}", lang, seconds=round(training.seconds)))


def _curves(training: Training, lang: Language) -> str:
    records = training.records()
    if not records:
        return ""
    names = ("loss", "train_loss", "validation_loss")
    lines = [
        Line(text(f"mnist.curve_{name}", lang), [(each["step"], each[name]) for each in records if name in each], place)
        for place, name in enumerate(names)
    ]
    caption = text("mnist.training_curves", lang)
    keys = ("step", *names, "train_accuracy", "validation_accuracy", "learning_rate", "grad_norm")
    headings = {key: text(f"mnist.curve_{key}" if key != "step" else "mnist.step", lang) for key in keys}
    drawn = line_chart(lines, caption, text("mnist.step", lang), text("mnist.loss", lang), lang, log=True)
    rows = [{key: record.get(key) for key in keys} for record in records]
    return drawn + behind("training", rows, headings, caption, lang)
