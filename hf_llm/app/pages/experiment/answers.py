"""What is known about an experiment: its committed result, and what its short version gives when it runs now."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
from gradio.context import LocalContext

from hf_llm.app.page import App
from hf_llm.app.pages.experiment import views
from hf_llm.app.server.line import LAB
from hf_llm.app.server.quick_run import quick_run
from hf_llm.app.server.results import committed, read_result
from hf_llm.app.views import code, message
from hf_llm.config import UserError
from hf_llm.texts import Language, text

CALL = """from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.run import run_experiment

config = ExperimentConfig(output_dir="runs/discuss/{name}", quick=True)
result = run_experiment("{name}", config, report=lambda done, total: print(done, total))"""


def show_full(app: App, name: str, lang: Language) -> str:
    """Return the report of the committed result, or that it is not here and how to make it."""
    result = committed(app.config.results, name)
    if result is not None:
        return views.report(result, lang)
    command = f"hf-llm discuss {name} --output_dir results/{name}"
    missing = message(text("experiment.missing", lang, folder=app.public(app.config.results)))
    return missing + code(command, lang, "app.command", opened=True)


def wait(app: App, *, lang: Language) -> tuple[str, dict]:
    """Return that a run waits, and start the timer that looks at its place in the line."""
    return message(text("experiment.waits", lang)), gr.update(active=True)


def place(app: App, *, lang: Language) -> tuple:
    """Return the place of the page's run in the line; nothing new, and no further look, once its turn has come."""
    request = LocalContext.request.get(None)
    found = app.line.place(request.session_hash, LAB) if app.line and request else None
    if found is None:
        return gr.skip(), gr.update(active=False)
    place, waiting = found
    sentence = text("experiment.place", lang, place=place, waiting=waiting)
    return message(sentence, announced=False), gr.skip()


def stopped(app: App, *, lang: Language) -> str:
    return message(text("experiment.stopped", lang))


def run_quick(app: App, name: str, lang: Language) -> Iterator[str]:
    """Yield how far the short version is, and at last its report or why there is none; its files do not stay."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hf_llm-") as folder:
        try:
            for done, total in quick_run(name, folder, app.config.training_seconds):
                yield views.progress(done, total, round(time.monotonic() - started), lang)
            result = read_result(Path(folder))
        except UserError as error:
            yield message(app.said(error, lang), "bad")
            return
        yield views.report(result, lang) + code(CALL.format(name=name), lang)
