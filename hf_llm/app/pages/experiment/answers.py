"""What is known about an experiment: its committed result, and what its short version gives when it runs now."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hf_llm.app.page import App
from hf_llm.app.pages.experiment import views
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
    return missing + code(command, lang, "app.command")


def wait(app: App, *, lang: Language) -> str:
    return message(text("experiment.waits", lang))


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
