"""A GPT-2 that is trained in the page: live curves and samples; pause, resume, stop; the run folder to take home."""

from functools import partial
from typing import NamedTuple

import gradio as gr

from hf_llm.app.page import App, Page
from hf_llm.app.pages.train import views
from hf_llm.app.pages.train.recipe import (
    CORPORA,
    LIMITS,
    PRESETS,
    PROMPT,
    SETTINGS,
    SIZES,
    preset,
    training_command,
)
from hf_llm.app.server.training_process import Training
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import code, message

EVERY = 2.0  # seconds between two looks at a training; each is a call that the limit by address counts
# the address names the training, so that a reload of the page finds it
IN_ADDRESS = """(run) => {
  const url = new URL(location.href);
  url.searchParams.set("run", run);
  history.replaceState(null, "", url);
}"""


class Shown(NamedTuple):
    """What the page shows of a training, in the order of the components."""

    seen: str  # what was shown, so that a tick which brings nothing new redraws nothing
    status: str
    curves: str | dict
    samples: str | dict
    command: str | dict
    timer: dict
    pause: dict
    resume: dict
    stop: dict
    download: dict


def build(page: Page) -> None:
    app = page.app
    gr.Markdown(t("train.public"))
    chosen = gr.Radio([(t(f"train.preset_{name}"), name) for name in PRESETS], value="demo", label=t("common.preset"))
    why = page.view()
    controls = _controls(app)
    own = gr.Textbox(
        label=t("train.own"),
        info=t("train.own_info"),
        lines=5,
        max_length=10 * app.config.max_characters,
        visible=False,
    )
    with gr.Row():
        start = gr.Button(t("train.start"), variant="primary")
        pause = gr.Button(t("train.pause"), interactive=False)
        resume = gr.Button(t("train.resume"), interactive=False)
        stop = gr.Button(t("train.stop"), variant="stop", interactive=False)
    run = gr.Textbox(visible="hidden", label="run", container=False)
    last, seen, timer = last_training(), gr.State(""), gr.Timer(EVERY, active=False)
    status, curves, samples, command = page.view(), page.view(), page.view(), page.view()
    download = gr.DownloadButton(t("train.download"), interactive=False)
    shown = [seen, status, curves, samples, command, timer, pause, resume, stop, download]

    page.on(chosen.input, partial(choose, app), [chosen], [*controls.values(), why])
    page.on(
        controls["corpus"].change, lambda corpus, lang: gr.update(visible=corpus == "own"), [controls["corpus"]], own
    )
    started = page.on(start.click, partial(begin, app), [*controls.values(), own], [run, last])
    started.success(None, run, None, js=IN_ADDRESS, api_visibility="private")
    look = partial(show, app)
    page.on(started.success, look, [run], shown)
    for button, act in ((pause, "paused"), (resume, "running"), (stop, "stopped")):
        acted = page.on(button.click, partial(direct, app, act), [run], [])
        page.on(acted.then, look, [run], shown)
    page.on(timer.tick, look, [run, seen], shown)

    page.settings(preset=chosen, **controls, run=run)
    opened = page.opens_with(lambda name, lang: _reason(name, lang), [chosen], why)
    found = page.on(opened.then, partial(find_again, app), [run, last], run)
    page.on(found.then, look, [run], shown)


def last_training() -> gr.BrowserState:
    """Return the name of the training that this browser started last."""
    return gr.BrowserState("", storage_key="hf_llm_training", secret="a name, no secret")


def _controls(app: App) -> dict:
    """Return {setting: control}, all of `SETTINGS` in their order, with the recipe's values."""
    usual = preset("demo", app.config.training_steps)
    most = app.config.training_steps

    def slider(name: str, step: float) -> gr.Slider:
        low, high = LIMITS[name]
        return gr.Slider(
            low, high or most, usual[name], step=step, label=t(f"train.{name}"), info=t(f"train.{name}_info")
        )

    def whole(name: str) -> gr.Number:
        low, high = LIMITS[name]
        return gr.Number(
            usual[name], minimum=low, maximum=high, precision=0, label=t(f"train.{name}"), info=t(f"train.{name}_info")
        )

    made = {}
    with gr.Group():
        with gr.Row():
            made["corpus"] = gr.Dropdown(
                [(t(f"train.corpus_{name}"), name) for name in CORPORA], value=usual["corpus"], label=t("train.corpus")
            )
            made["model"] = gr.Dropdown(
                [(t(f"train.model_{name}"), name) for name in SIZES], value=usual["model"], label=t("train.model")
            )
        with gr.Row():
            made["max_steps"] = slider("max_steps", 1)
            low, high = LIMITS["learning_rate"]
            made["learning_rate"] = gr.Number(
                usual["learning_rate"], minimum=low, maximum=high, step=1e-4, label=t("train.learning_rate"),
                info=t("train.learning_rate_info"),
            )  # fmt: skip
            made["vocab_size"] = slider("vocab_size", 1)
    with gr.Accordion(t("train.more"), open=False):
        with gr.Row():
            made["dropout"] = slider("dropout", 0.05)
            made["input_noise"] = slider("input_noise", 0.05)
            made["bpe_dropout"] = slider("bpe_dropout", 0.05)
        with gr.Row():
            made["n_positions"] = slider("n_positions", 1)
            made["warmup_steps"] = whole("warmup_steps")
            made["seed"] = whole("seed")
        made["sample_prompt"] = gr.Textbox(
            usual["sample_prompt"],
            label=t("train.sample_prompt"),
            info=t("train.sample_prompt_info"),
            max_length=PROMPT,
        )
    return {name: made[name] for name in SETTINGS}


def endpoints(app: App) -> dict:
    return {}


def choose(app: App, name: str, lang: Language) -> list:
    """Return the values of a preset, in the order of `SETTINGS`, and the reason for them."""
    return [*preset(name, app.config.training_steps).values(), _reason(name, lang)]


def _reason(name: str, lang: Language) -> str:
    return message(text(f"train.why_{name}", lang)) if name in PRESETS else ""


def begin(app: App, *given) -> tuple[str, str]:
    """Start a training with the values of `SETTINGS`, the pasted text and the language; returns its name twice.

    Raises:
        UserError: When a value is impossible here, or as many trainings are running as may.
    """
    *values, own, lang = given
    command, files = training_command(app, dict(zip(SETTINGS, values, strict=True)), own or "", lang)
    name = app.trainings.start("gpt2", command, files, lang).name
    return name, name


def direct(app: App, act: str, run: str, lang: Language) -> None:
    """Pause or stop the training called `run`, or let it go on ("running"); errors as in `begin`."""
    training = app.trainings.get(run or "")
    if training is None:
        return
    if act == "running":
        app.trainings.resume(training, lang)
    else:
        training.end(act)


def find_again(app: App, asked: str, last: str, lang: Language) -> str:
    """Return the training that the address names; else the one that this browser started last, while it is there."""
    return asked or (last if last and app.trainings.get(last) else "")


def show(app: App, run: str, *rest) -> Shown:
    """Return what the page shows of the training called `run`.

    Args:
        app: What the pages share.
        run: Its name; empty for none.
        rest: What was shown before, where a tick asks, and the language.
    """
    *seen, lang = rest
    training = app.trainings.get(run or "")
    if training is None:
        nothing = message(text("train.unknown_run", lang, name=run) if run else text("train.none", lang))
        return Shown("", nothing, "", "", "", gr.update(active=False), *[gr.update(interactive=False)] * 4)
    now = f"{training.name} {training.state} {training.ending} {len(training.records())}"
    status = views.status(training, lang)
    if [now] == seen:
        return Shown(now, status, *[gr.skip()] * 8)
    buttons = _buttons(training)
    if seen and seen[0].split()[:3] == now.split()[:3]:  # a tick of the same state: the buttons and the timer stay
        buttons = [gr.skip()] * 4
    command = code(training.shown_command(), lang, "common.command")
    return Shown(now, status, views.curves(training, lang), views.samples(training, lang), command, *buttons,
                 _archive(app, training))  # fmt: skip


def _buttons(training: Training) -> list[dict]:
    """Return updates of the timer and of the buttons pause, resume, stop."""
    state = training.state
    can_end = state == "running" and training.ours and not training.ending
    return [
        gr.update(active=state == "running"),
        gr.update(interactive=can_end),
        gr.update(interactive=state in ("paused", "failed") and training.left > 0),
        gr.update(interactive=can_end or state == "paused"),
    ]


def _archive(app: App, training: Training) -> dict:
    """Return the update of the download button: the archive, once nothing is written into the folder."""
    if training.state == "running":
        return gr.update(value=None, interactive=False)
    archive = app.trainings.archive(training)
    return gr.update(value=archive and str(archive), interactive=archive is not None)
