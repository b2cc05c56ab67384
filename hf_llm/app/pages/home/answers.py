"""What the first page answers: the models, how the first training goes, and where to go from here."""

import secrets

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.home import views
from hf_llm.app.pages.train.recipe import demo_command
from hf_llm.app.views import message
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import Language, text


def show(app: App, *, last: str, lang: Language) -> tuple:
    """Return the models, the button that is there while there is none, how the training goes, and the timer.

    Args:
        app: What the pages share.
        last: Name of the training that this browser started last; may be empty or gone.
        lang: The reader's language.
    """
    training = app.trainings.get(last or "")
    running = training is not None and training.state in ("running", "waiting")
    none_yet = not app.library.language_models()
    said = message(text("home.no_model", lang)) if none_yet and not running else ""
    if training is not None and (running or none_yet):
        said += views.progress(training, lang)
    return (
        views.models(models(app, lang), lang) + views.links(app.pages, lang),
        gr.update(visible=none_yet and not running),
        said,
        gr.update(active=running),
    )


def train_first(app: App, *, owner: str, lang: Language) -> tuple[str, str]:
    """Start the demo's training; return its name and the secret of this browser. Errors as in `Trainings.start`."""
    owner = owner or secrets.token_urlsafe(16)
    return app.trainings.start("gpt2", demo_command(app.config.training_steps), owner=owner).name, owner


def models(app: App, lang: Language) -> list[dict]:
    """Return the finished runs and the Hub models, with what each was trained on, how good it is, and beside what."""
    records = []
    for name in [*app.library.language_models(lang), *app.library.image_classifiers()]:
        try:
            manifest = {} if name in app.library.hub_models else read_manifest(app.library.folder(name)) or {}
        except UserError:
            continue  # removed since it was listed
        metrics = manifest.get("metrics", {})
        validation, beside = metrics.get("validation", {}), metrics.get("baselines", {})
        records.append({
            "name": name,
            "parameters": manifest.get("model", {}).get("parameters"),
            "data": manifest.get("data", {}).get("name"),
            "bits_per_byte": validation.get("bits_per_byte"),
            "interval": validation.get("bits_per_byte_interval_95"),
            **{name: beside.get(name, {}).get("bits_per_byte") for name in ("ngram", "compressor")},
            "accuracy": validation.get("accuracy"),
        })  # fmt: skip
    return records
