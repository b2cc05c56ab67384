"""The first page: which models are here, and where to begin; with none here, a button that trains one."""

from functools import partial
from html import escape

import gradio as gr

from hf_llm.app.page import App, Page
from hf_llm.app.pages.train import views as train_views
from hf_llm.app.pages.train.page import EVERY, last_training
from hf_llm.app.pages.train.recipe import demo_command
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import code, message, table
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest


def build(page: Page) -> None:
    shown = page.view()
    train = gr.Button(t("home.train_first"), variant="primary", visible=False)
    progress = page.view()
    last, timer = last_training(), gr.Timer(EVERY, active=False)
    look, views = partial(show, page.app), [shown, train, progress, timer]
    started = page.on(train.click, partial(train_first, page.app), [], last)
    page.on(started.success, look, [last], views)
    page.on(timer.tick, look, [last], views)
    page.opens_with(look, [last], views)


def endpoints(app: App) -> dict:
    return {}


def show(app: App, last: str, lang: Language) -> tuple:
    """Return the models, the button that is there while there is none, how the training goes, and the timer.

    Args:
        app: What the pages share.
        last: Name of the training that this browser started last; may be empty or gone.
        lang: The reader's language.
    """
    training = app.trainings.get(last or "")
    running = training is not None and training.state == "running"
    none_yet = not app.library.language_models()
    progress = ""
    if training is not None and (running or none_yet or training.state == "finished"):
        progress = train_views.status(training, lang) + code(training.shown_command(), lang, "common.command")
        progress += f'<p><a href="./train?run={escape(last)}">{escape(text("home.watch", lang))}</a></p>'
    return (
        models(app, lang) + ("" if none_yet else _next(app, lang)),
        gr.update(visible=none_yet and not running),
        progress,
        gr.update(active=running),
    )


def train_first(app: App, lang: Language) -> str:
    """Start the demo's training and return its name; errors as in `Trainings.start`."""
    return app.trainings.start("gpt2", demo_command(app.config.training_steps), lang=lang).name


def _next(app: App, lang: Language) -> str:
    links = ""
    for path in filter(None, app.paths):
        title, about = (escape(text(key, lang)) for key in (f"{path}.title", f"home.about_{path}"))
        links += f'<li><a href="./{path}">{title}</a>: {about}</li>'
    return f'<p>{escape(text("home.next", lang))}</p><ul class="links">{links}</ul>'


def models(app: App, lang: Language) -> str:
    """Return a table of the finished runs with what each was trained on and how good it is."""
    records = []
    for name in [*app.library.language_models(), *app.library.image_classifiers()]:
        try:
            manifest = (read_manifest(app.library.folder(name)) or {}) if name not in app.library.hub_models else {}
        except UserError:
            continue  # removed since it was listed
        validation = manifest.get("metrics", {}).get("validation", {})
        records.append({
            "name": name,
            "parameters": manifest.get("model", {}).get("parameters"),
            "corpus": manifest.get("data", {}).get("name"),
            "bits": validation.get("bits_per_byte"),
            "accuracy": validation.get("accuracy"),
        })  # fmt: skip
    if not app.library.language_models():
        return message(text("home.no_model", lang)) + (_table(records, lang) if records else "")
    return _table(records, lang)


def _table(records: list[dict], lang: Language) -> str:
    headings = {key: text(f"home.{key}", lang) for key in ("name", "parameters", "corpus", "bits", "accuracy")}
    return table(records, headings, text("home.models", lang), lang)
