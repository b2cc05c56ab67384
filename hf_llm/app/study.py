"""What the pages of labs and questions share: an experiment's committed result, and its short version live."""

import tempfile
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import gradio as gr
from gradio.components import Component

from hf_llm.app.page import App, Page
from hf_llm.app.quick_run import quick_run
from hf_llm.app.report_views import introduction, report
from hf_llm.app.results import committed, read_result
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import code, message
from hf_llm.config import UserError

CALL = """from hf_llm.experiments.command import measure
from hf_llm.experiments.config import ExperimentConfig

config = ExperimentConfig(output_dir="runs/discuss/{name}", quick=True)
result = measure("{name}", config, progress=lambda done, total: print(done, total))"""


def study(page: Page, chosen: Component, experiment: Callable[[str], str | None]) -> list[Component]:
    """Lay out two tabs, the full result and a run of the short version, and bind the second.

    Args:
        page: The page they belong to.
        chosen: The control that chooses.
        experiment: The name of the experiment for a value of that control.

    Returns:
        What `show_full` writes: title with introduction, and the report.
    """
    app = page.app
    with gr.Tabs():
        with gr.Tab(t("study.full")):
            title = gr.Markdown()
            full = page.view(elem_classes="report")
        with gr.Tab(t("study.quick")):
            gr.Markdown(t("study.quick_intro"))
            with gr.Row():
                run = gr.Button(t("study.run"), variant="primary")
                stop = gr.Button(t("study.stop"), variant="stop")
            live = page.view(elem_classes="report")
    waits = page.on(run.click, lambda lang: message(text("study.waits", lang)), [], live)

    def run_chosen(value: str, lang: Language) -> Iterator[str]:
        yield from run_quick(app, experiment(value), lang)

    # one at a time in the whole app: two would share the cores, and a third visitor's would take the memory
    runs = page.on(waits.then, run_chosen, [chosen], live, concurrency_id="experiment", concurrency_limit=1)
    stops = stop.click(None, cancels=[runs], api_visibility="private")
    page.on(stops.then, lambda lang: message(text("study.stopped", lang)), [], live)
    leaves = chosen.change(None, cancels=[runs], api_visibility="private")
    page.on(leaves.then, lambda lang: "", [], live)
    return [title, full]


def show_full(app: App, name: str, lang: Language) -> tuple[str, str]:
    """Return title and introduction (Markdown) and the report (HTML) of the committed result, or a sentence."""
    result = committed(app.config.results, name, lang)
    if result is None:
        return "", message(text("study.none", lang, folder=app.config.results)) + code(
            f"python scripts/discuss.py {name} --output_dir results/{name}", lang, "common.command"
        )
    return introduction(result, lang), report(result, lang)


def run_quick(app: App, name: str, lang: Language) -> Iterator[str]:
    """Yield how far the short version is, and at last its report or why there is none; its files do not stay."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hf_llm-") as folder:
        try:
            for done, total in quick_run(name, folder, app.config.training_seconds, lang):
                yield _progress(done, total, time.monotonic() - started, lang)
            result = read_result(Path(folder), lang)
        except UserError as error:
            yield message(str(error), "bad")
            return
        title = f"<h2>{escape(result.values['title'][lang])}</h2>"
        yield title + report(result, lang) + code(CALL.format(name=name), lang)


def _progress(done: int, total: int, seconds: float, lang: Language) -> str:
    if not total:
        return message(text("study.loads", lang, seconds=round(seconds)))
    sentence = text("study.runs", lang, percent=100 * done // total, seconds=round(seconds))
    return f'{message(sentence)}<progress value="{done}" max="{total}" aria-label="{escape(sentence)}"></progress>'
