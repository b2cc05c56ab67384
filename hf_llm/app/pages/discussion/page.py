"""The seven questions of the lecture and three more: the reader predicts, and then sees what was measured or runs it.

A prediction stays in the reader's browser: no handler gets it, and the server learns only that there is one. Where a
class is to be counted, it learns which option was chosen as well.
"""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.discussion import answers
from hf_llm.app.pages.discussion.answers import QUESTIONS
from hf_llm.app.pages.experiment import page as experiment

LONGEST = 2000  # characters of a prediction
KEEP = "(question, choice, reason) => hf_llm.predicted(question, choice, reason)"
COUNT = "(question, choice) => hf_llm.counted(question, choice)"
RESTORE = "(question) => hf_llm.prediction(question)"


def build(page: Page) -> None:
    counts = page.app.config.count_predictions
    private = "counted_only" if counts else "private"
    question = gr.Dropdown(
        [(t(f"discussion.{number}.question"), number) for number in QUESTIONS], value="L31",
        label=t("discussion.question"),
    )  # fmt: skip
    asked = page.view()
    with gr.Group():
        choice = gr.Radio([], label=t("discussion.choice"))
        reason = gr.Textbox(label=t("discussion.reason"), info=t(f"discussion.{private}"), lines=3, max_length=LONGEST)
    reveal = gr.Button(t("discussion.reveal"), variant="primary")
    made = gr.Textbox(visible="hidden", label="made", container=False)  # the question that has a prediction
    notice = page.view()
    with gr.Column(visible=False) as answered:
        answer = page.view(elem_classes="report")
        of_the_class = page.view()
        with gr.Accordion(t("discussion.whole"), open=False):
            full = experiment.build(page, "question", question, QUESTIONS.get)
        after = page.view()

    page.settings(question=question)
    asking = (answers.ask, {"question": question}, [asked, choice, reason, notice, answered])
    for opened in (page.opens_with(*asking), page.on(question.change, *asking)):
        opened.then(None, question, [choice, reason], js=RESTORE, api_visibility="private")
    kept = reveal.click(None, [question, choice, reason], made, js=KEEP, api_visibility="private")
    page.on(
        kept.then, answers.show_answer, {"question": question, "made": made},
        [notice, answered, answer, full, after],
    )  # fmt: skip
    if counts:
        chosen = gr.Textbox(visible="hidden", label="chosen", container=False)  # empty where it was counted before
        given = kept.then(None, [question, choice], chosen, js=COUNT, api_visibility="private")
        page.on(given.then, answers.count, {"question": question, "made": made, "chosen": chosen}, of_the_class)
