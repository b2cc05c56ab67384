"""The labs: each experiment that answers no question of the discussion, its full result, and its short version live."""

from dataclasses import dataclass
from functools import partial

import gradio as gr

from hf_llm.app.page import App, Page
from hf_llm.app.pages.discussion import QUESTIONS
from hf_llm.app.report_views import figure
from hf_llm.app.results import committed
from hf_llm.app.study import show_full, study
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import message
from hf_llm.experiments.config import EXPERIMENTS

LABS = tuple(name for name in EXPERIMENTS if name not in {question.experiment for question in QUESTIONS.values()})


@dataclass(frozen=True)
class Example:
    """A figure that shows something going well or badly; `foundations.<its name>` and `…_why` say what and why."""

    lab: str
    chart: str
    good: bool


EXAMPLES = {
    "exploding_rate": Example("optimizers", "rates", False),
    "dead_relu": Example("activations", "dead", False),
    "over_fitting": Example("regularization", "curves", False),
    "vanishing": Example("backprop", "flow", False),
    "sure_and_wrong": Example("losses", "gradients", False),
    "too_deep": Example("architectures", "depth", False),
    "same_scale": Example("feature-scaling", "paths", True),
    "dropout_helps": Example("dropout", "test", True),
    "momentum": Example("optimizers", "surfaces", True),
    "honest": Example("losses", "calibration", True),
}


def build(page: Page) -> None:
    app = page.app
    example = gr.Dropdown(
        [(t(f"foundations.{name}"), name) for name in EXAMPLES], value="exploding_rate", label=t("foundations.examples")
    )
    shown = page.view(elem_classes="report")
    gr.Markdown(t("foundations.labs_intro"))
    lab = gr.Radio([(t(f"foundations.{name}"), name) for name in LABS], value=LABS[0], label=t("foundations.lab"))
    full = study(page, lab, lambda name: name)

    page.on(example.change, partial(show_example, app), [example], shown)
    page.on(lab.change, partial(show_full, app), [lab], full)
    page.on(shown.select, open_lab, [], lab)
    page.settings(example=example, lab=lab)
    opened = page.opens_with(partial(show_example, app), [example], shown)
    page.on(opened.then, partial(show_full, app), [lab], full)


def endpoints(app: App) -> dict:
    return {}


def show_example(app: App, name: str, lang: Language) -> str:
    """Return an example: whether it is a good or a bad one, why, its figure, and a button that opens its lab."""
    example = EXAMPLES[name]
    kind = "good" if example.good else "bad"
    why = f"{text(f'foundations.{kind}', lang)} {text(f'foundations.{name}_why', lang)}"
    result = committed(app.config.results, example.lab, lang)
    drawn = (
        figure(result, example.chart, lang)
        if result
        else message(text("study.none_short", lang, folder=app.config.results))
    )
    opens = text("foundations.open", lang, lab=text(f"foundations.{example.lab}", lang))
    return f'{message(why, kind)}{drawn}<button type="button" class="open" data-choose="{example.lab}">{opens}</button>'


def open_lab(evt: gr.EventData, lang: Language) -> str:
    """Return the lab of the example whose button was pressed."""
    return evt.choice
