"""What the page that trains answers: a training started, paused, resumed, stopped, found again, and how it goes."""

import secrets
from typing import NamedTuple

import gradio as gr

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.app.pages.train import views
from hf_llm.app.pages.train.recipe import PRESETS, preset_values, training_command
from hf_llm.app.server.training_process import Training
from hf_llm.app.server.trainings import TITLE
from hf_llm.app.views import code, message
from hf_llm.config import require
from hf_llm.texts import Language, both, text


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
    download: str


def choose(app: App, *, preset: str, lang: Language) -> list:
    """Return the values of a preset, in the order of `SETTINGS`, and the reason for them."""
    return [*preset_values(preset, app.config.training_steps).values(), reason(app, preset=preset, lang=lang)]


def reason(app: App, *, preset: str, lang: Language) -> str:
    return message(text(f"train.why.{preset}", lang)) if preset in PRESETS else ""


def begin(app: App, *, own: str, title: str, owner: str, lang: Language, **values) -> tuple[str, str, str]:
    """Start a training with the `values` of `SETTINGS` and the pasted text.

    Args:
        app: What the pages share.
        own: The pasted text.
        title: What the reader calls the model.
        owner: The secret of this browser; empty before it has one.
        lang: The reader's language.
        **values: The settings.

    Returns:
        The name of the training twice, and the browser's secret.

    Raises:
        UserError: When a value is impossible here, or the training cannot be taken on.
    """
    owner = owner or secrets.token_urlsafe(16)
    command, files = training_command(app, values, own or "")
    name = app.trainings.start("gpt2", command, files, checked(title or "", TITLE), owner).name
    return name, name, owner


def owned(app: App, run: str, owner: str) -> Training | None:
    """Return the training called `run` when it is of the browser with this secret; None where there is none.

    Raises:
        UserError: When it is somebody else's.
    """
    training = app.trainings.get(run or "")
    require(training is None or training.owned_by(owner or ""), both("train.not_yours"))
    return training


def pause(app: App, *, run: str, owner: str, lang: Language) -> None:
    if training := owned(app, run, owner):
        training.end("paused")


def stop(app: App, *, run: str, owner: str, lang: Language) -> None:
    if training := owned(app, run, owner):
        training.end("stopped")


def resume(app: App, *, run: str, owner: str, lang: Language) -> None:
    """Let a paused training go on; errors as in `begin`."""
    if training := owned(app, run, owner):
        app.trainings.resume(training)


def find_again(app: App, *, run: str, last: str, lang: Language) -> str:
    """Return the training that the URL names; else the one that this browser started last, while it is there."""
    return run or (last if last and app.trainings.get(last) else "")


def show(app: App, *, run: str, owner: str = "", seen: str | None = None, lang: Language) -> Shown:
    """Return what the page shows of the training called `run`.

    Args:
        app: What the pages share.
        run: Its name; empty for none.
        owner: The secret of this browser; who only has the link sees the training and has no hand in it.
        seen: What was shown before, where a tick asks.
        lang: The reader's language.
    """
    training = app.trainings.get(run or "")
    if training is None:
        nothing = message(text("train.unknown_run", lang, name=run) if run else text("train.none", lang))
        return Shown("", nothing, "", "", "", gr.update(active=False), *[gr.update(interactive=False)] * 3, "")
    now = f"{training.name} {training.state} {training.ending} {len(training.records())}"
    status = views.status(training, lang)
    if now == seen:
        return Shown(now, status, *[gr.skip()] * 8)
    buttons = _buttons(training, owner)
    if seen and seen.split()[:3] == now.split()[:3]:  # a tick of the same state: the buttons and the timer stay
        buttons = [gr.skip()] * 4
    command = code(training.shown_command(), lang, "app.command")
    curves, samples = views.curves(training, lang), views.samples(training, lang)
    return Shown(now, status, curves, samples, command, *buttons, views.download(training, lang))


def _buttons(training: Training, owner: str) -> list[dict]:
    """Return updates of the timer and of the buttons pause, resume, stop."""
    state, mine = training.state, training.owned_by(owner)
    can_end = state == "running" and training.ours and not training.ending
    return [
        gr.update(active=state in ("running", "waiting")),
        gr.update(interactive=mine and can_end),
        gr.update(interactive=mine and state in ("paused", "failed") and training.left > 0),
        gr.update(interactive=mine and (can_end or state in ("paused", "waiting"))),
    ]
