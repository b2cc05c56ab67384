"""The seven questions of the lecture: the reader predicts, and then sees what was measured or runs it.

A prediction stays in the reader's browser: no handler gets it, and JavaScript tells the server only that there is one.
"""

from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from hf_llm.app.page import App, Page
from hf_llm.app.results import committed
from hf_llm.app.study import show_full, study
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import message
from hf_llm.config import UserError, require
from hf_llm.experiments.config import EXPERIMENTS

OPTIONS = "abc"
LONGEST = 2000  # characters of a prediction
KEEP = "(question, choice, words) => hf_llm.predicted(question, choice, words)"
RESTORE = "(question) => hf_llm.prediction(question)"


@dataclass(frozen=True)
class Question:
    """A question of the lecture, by its number there the key of its texts.

    Args:
        experiment: What answers it; None, or not in `EXPERIMENTS`, where nothing does yet.
        bearing: Labs and pages of the app that bear on it; `discussion.<number>_<name>` says how.
    """

    experiment: str | None
    bearing: tuple[str, ...]


QUESTIONS = {
    "L31": Question("relu-depth", ("activations", "backprop", "architectures")),
    "L32": Question("transformer-dropout", ("dropout", "regularization")),
    "L33": Question(None, ("optimizers", "feature-scaling")),
    "L43": Question(None, ("train", "dropout")),
    "L44": Question(None, ("inside", "architectures")),
    "L45": Question(None, ("architectures", "tokenizer")),
    "L46": Question(None, ("losses", "generate")),
}


def build(page: Page) -> None:
    app = page.app
    question = gr.Radio(
        [(t(f"discussion.{number}"), number) for number in QUESTIONS], value="L31", label=t("discussion.question")
    )
    asked = page.view()
    with gr.Group():
        choice = gr.Radio([], label=t("discussion.choice"))
        words = gr.Textbox(label=t("discussion.words"), info=t("discussion.private"), lines=3, max_length=LONGEST)
    reveal = gr.Button(t("discussion.reveal"), variant="primary")
    made = gr.Textbox(visible="hidden", label="made", container=False)  # the question that has a prediction
    notice = page.view()
    with gr.Column(visible=False) as answered:
        answer = page.view()
        with gr.Column() as measured:
            full = study(page, question, lambda number: QUESTIONS[number].experiment)
        after = page.view()

    page.settings(question=question)
    asking = ([question], [asked, choice, words, notice, answered])
    for opened in (page.opens_with(ask, *asking), page.on(question.change, ask, *asking)):
        opened.then(None, question, [choice, words], js=RESTORE, api_visibility="private")
    kept = reveal.click(None, [question, choice, words], made, js=KEEP, api_visibility="private")
    page.on(
        kept.then, partial(show_answer, app), [question, made],
        [notice, answered, answer, measured, *full, after],
    )  # fmt: skip


def endpoints(app: App) -> dict:
    def api_discuss(name: str, lang: str = "pt-BR") -> dict[str, Any]:
        """The full result of an experiment: its findings with verdicts, its limits, and its report in Markdown."""
        return discuss(app, name, "en" if lang == "en" else "pt-BR")

    return {"discuss": api_discuss}


def discuss(app: App, name: str, lang: Language) -> dict[str, Any]:
    """Return what is known about the experiment called `name` in one language.

    Raises:
        UserError: When there is no such experiment, or its full result is not in this copy.
    """
    require(name in EXPERIMENTS, text("study.unknown", lang, names=", ".join(EXPERIMENTS)))
    result = committed(app.config.results, name, lang)
    if result is None:
        raise UserError(text("study.none_short", lang, folder=app.config.results))
    values = result.values
    return {
        "name": name,
        "title": values["title"][lang],
        "lecture": values["lecture"],
        "seeds": values["seeds"],
        "command": values["command"],
        "findings": [
            {**finding, "claim": finding["claim"][lang], "measure": finding["measure"][lang]}
            for finding in [*values["findings"], *values["timings"]["findings"]]
        ],
        "caveats": [caveat[lang] for caveat in values["caveats"]],
        "report": result.report(lang),
    }


def ask(number: str, lang: Language) -> tuple:
    """Return the question's background and what to predict, its options, an empty prediction, and no answer yet."""
    choices = [(text(f"discussion.{number}_{option}", lang), option) for option in OPTIONS]
    choices.append((text("discussion.other", lang), "other"))
    background = f"<p>{escape(text(f'discussion.{number}_background', lang))}</p>"
    predict = f"<p><strong>{escape(text(f'discussion.{number}_predict', lang))}</strong></p>"
    return background + predict, gr.update(choices=choices, value=None), "", "", gr.update(visible=False)


def show_answer(app: App, number: str, made: str, lang: Language) -> tuple:
    """Return the notice, the answer and what comes after it once there is a prediction; else only a notice."""
    if made != number:
        return message(text("discussion.first", lang)), *[gr.skip()] * 6
    experiment = answering(number)
    full = show_full(app, experiment, lang) if experiment else ("", "")
    return (
        "", gr.update(visible=True), answer_to(app, number, lang), gr.update(visible=experiment is not None), *full,
        for_the_class(number, lang),
    )  # fmt: skip


def answering(number: str) -> str | None:
    """Return the experiment that answers a question, None where there is none yet."""
    experiment = QUESTIONS[number].experiment
    return experiment if experiment in EXPERIMENTS else None


def answer_to(app: App, number: str, lang: Language) -> str:
    """Return what to look at, and, where nothing measures the question itself, what bears on it."""
    look = f"<h2>{escape(text('discussion.answer', lang))}</h2><p>{escape(text(f'discussion.{number}_look', lang))}</p>"
    key = "discussion.also" if answering(number) else "discussion.not_measured"
    links = []
    for name in QUESTIONS[number].bearing:
        if name not in EXPERIMENTS and name not in app.paths:
            continue
        lab = name in EXPERIMENTS
        address = f"./foundations?lab={name}&amp;lang={lang}" if lab else f"./{name}?lang={lang}"
        title = text(f"foundations.{name}" if lab else f"{name}.title", lang)
        why = text(f"discussion.{number}_{name}", lang)
        links.append(f'<li><a href="{address}">{escape(title)}</a> – {escape(why)}</li>')
    return f"{look}<p>{escape(text(key, lang))}</p><ul>{''.join(links)}</ul>"


def for_the_class(number: str, lang: Language) -> str:
    """Return questions to go on with, one a line of the text."""
    lines = text(f"discussion.{number}_class", lang).splitlines()
    items = "".join(f"<li>{escape(line)}</li>" for line in lines if line)
    return f"<h2>{escape(text('discussion.class', lang))}</h2><ol>{items}</ol>"
