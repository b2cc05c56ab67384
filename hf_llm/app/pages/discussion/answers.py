"""What the page of the lecture's questions answers: the question, what was measured, what bears on it."""

from typing import Any

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.discussion import views
from hf_llm.app.pages.experiment.answers import show_full
from hf_llm.app.pages.experiment.views import figure
from hf_llm.app.server.results import committed
from hf_llm.app.views import message
from hf_llm.config import UserError, require
from hf_llm.experiments.answers import SEVEN
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import Language, both, language_of, text

OPTIONS = "abc"


# what answers each question: the lecture's, by their numbers there, and three that they lead to
QUESTIONS = SEVEN | {"counting": "counting-vs-gpt2", "anatomy": "gpt2-anatomy", "families": "families"}
BEARING = {  # labs and pages of the app that bear on a question; `<number>.bearing.<name>` says how
    "L31": ("activations", "backprop", "architectures"),
    "L32": ("dropout-study", "regularization"),
    "L33": ("optimizers", "feature-scaling"),
    "L43": ("train", "dropout-study"),
    "L44": ("inside", "architectures"),
    "L45": ("tokenizer", "architectures"),
    "L46": ("losses", "generate"),
    "counting": ("tokenizer", "generate"),
    "anatomy": ("inside", "architectures"),
    "families": ("architectures", "inside"),
}


def discuss(app: App, name: str, lang: str = "pt-BR") -> dict[str, Any]:
    """The full result of an experiment: its answer, findings with verdicts, limits, and its report in Markdown."""
    lang = language_of(lang)
    require(name in EXPERIMENTS, both("experiment.unknown", names=", ".join(EXPERIMENTS)))
    result = committed(app.config.results, name)
    if result is None:
        raise UserError(both("experiment.missing_short", folder=app.public(app.config.results)))
    values = result.values
    findings = [*values["findings"], *values["timings"]["findings"]]
    return {
        "name": name,
        **{key: values[key][lang] for key in ("question", "answer")},
        **{key: values[key] for key in ("lecture", "seeds", "command", "predictions")},
        "findings": [{**finding, "claim": finding["claim"][lang]} for finding in findings],
        "limits": [limit[lang] for limit in values["limits"]],
        "report": result.report(lang),
    }


ENDPOINTS = {"discuss": discuss}


def option(number: str, name: str, lang: Language) -> str:
    """Return an offered prediction."""
    return text(f"{QUESTIONS[number].replace('-', '_')}.predictions.{name}", lang)


def ask(app: App, *, question: str, lang: Language) -> tuple:
    """Return the question's background and what to predict, its options, an empty prediction, and no answer yet."""
    choices = [(option(question, name, lang), name) for name in OPTIONS]
    choices.append((text("discussion.other", lang), "other"))
    return views.asked(question, lang), gr.update(choices=choices, value=None), "", "", gr.update(visible=False)


def count(app: App, *, question: str, made: str, chosen: str, lang: Language) -> str:
    """Count the `chosen` option, empty for none, and return how many of the class chose each."""
    if made != question or question not in QUESTIONS:
        return ""
    options = {name: option(question, name, lang) for name in OPTIONS} | {"other": text("discussion.other_one", lang)}
    if chosen in options:
        app.predictions.add(question, chosen)
    return views.of_the_class(options, app.predictions.of(question), lang)


def show_answer(app: App, *, question: str, made: str, lang: Language) -> tuple:
    """Return the notice, the answer and what comes after it once there is a prediction; else only a notice."""
    if made != question:
        return message(text("discussion.first", lang)), *[gr.skip()] * 4
    experiment = QUESTIONS[question]
    result = committed(app.config.results, experiment)
    first = ""
    if result:
        options = {name: option(question, name, lang) for name in OPTIONS}
        figure_name = next(iter(result.values["figures"]))
        first = views.predictions(options, result.values["predictions"], lang) + figure(result, figure_name, lang)
    after = views.to_look_at(question, BEARING[question], lang) + views.for_the_class(question, lang)
    return "", gr.update(visible=True), first, show_full(app, experiment, lang), after
