"""The labs: each experiment that answers no question of the discussion, its full result, and its short version live."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.experiment import page as experiment
from hf_llm.app.pages.foundations import answers
from hf_llm.app.pages.foundations.answers import EXAMPLES, LABS


def build(page: Page) -> None:
    example = gr.Dropdown(
        [(t(f"foundations.example.{name}"), name) for name in EXAMPLES], value="exploding_rate",
        label=t("foundations.examples"),
    )  # fmt: skip
    shown = page.view(elem_classes="report")
    gr.Markdown(t("foundations.labs_intro"))
    labs = [(t(f"foundations.lab.{name}"), name) for name in LABS]
    lab = gr.Dropdown(labs, value=LABS[0], label=t("foundations.labs"))
    full = experiment.build(page, "lab", lab, lambda name: name)

    page.on(example.change, answers.show_example, {"example": example}, shown)
    page.on(lab.change, answers.show_lab, {"lab": lab}, full)
    page.chosen(shown, answers.open_lab, {}, lab)
    page.settings(example=example, lab=lab)
    opened = page.opens_with(answers.show_example, {"example": example}, shown)
    page.on(opened.then, answers.show_lab, {"lab": lab}, full)
