"""Two tabs on the pages of labs and questions: the full result of an experiment, and a run of its short version."""

from collections.abc import Callable

import gradio as gr
from gradio.components import Component

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.experiment import answers
from hf_llm.app.server.line import LAB

LOOK = 3.0  # seconds between two looks at the place in the line


def build(page: Page, name: str, chosen: Component, experiment: Callable[[str], str]) -> gr.HTML:
    """Lay out the tabs, and bind the run.

    Args:
        page: The page they belong to.
        name: Of the control, as handlers know it.
        chosen: The control that chooses.
        experiment: The name of the experiment for a value of that control.

    Returns:
        The view of the full result, for what `show_full` returns.
    """
    with gr.Tabs():
        with gr.Tab(t("experiment.full")):
            full = page.view(elem_classes="report")
        with gr.Tab(t("experiment.quick")):
            gr.Markdown(t("experiment.quick_intro"))
            with gr.Row():
                run = gr.Button(t("experiment.run"), variant="primary")
                stop = gr.Button(t("experiment.stop"), variant="stop")
            live = page.view(elem_classes="report")

    def run_chosen(app, *, lang, **control):
        yield from answers.run_quick(app, experiment(control[name]), lang)

    looks = gr.Timer(LOOK, active=False)
    waits = page.on(run.click, answers.wait, {}, [live, looks])
    page.on(looks.tick, answers.place, {}, [live, looks])
    # one at a time in the whole app: two would share the cores, and a third visitor's would take the memory
    runs = page.on(waits.then, run_chosen, {name: chosen}, live, kind=LAB)
    page.on(runs.failure, lambda app, *, lang: "", {}, live)  # it may not wait, as a message says
    stops = stop.click(None, cancels=[runs], api_visibility="private")
    page.on(stops.then, answers.stopped, {}, live)
    leaves = chosen.change(None, cancels=[runs], api_visibility="private")
    page.on(leaves.then, lambda app, *, lang: "", {}, live)
    return full
