"""What the page of the lecture's questions answers: the question, what was measured, what bears on it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.discussion import views
from hf_llm.app.pages.experiment.answers import show_full
from hf_llm.app.server.results import committed
from hf_llm.app.views import message
from hf_llm.config import UserError, require
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import Language, both, language_of, text

OPTIONS = "abc"


@dataclass(frozen=True)
class Question:
    """A question of the lecture, by its number there the key of its texts.

    Args:
        experiment: What answers it; None, or not in `EXPERIMENTS`, where nothing does yet.
        bearing: Labs and pages of the app that bear on it; `<number>.bearing.<name>` says how.
    """

    experiment: str | None
    bearing: tuple[str, ...]


QUESTIONS = {
    "L31": Question("relu-depth", ("activations", "backprop", "architectures")),
    "L32": Question("transformer-dropout", ("dropout-study", "regularization")),
    "L33": Question(None, ("optimizers", "feature-scaling")),
    "L43": Question(None, ("train", "dropout-study")),
    "L44": Question(None, ("inside", "architectures")),
    "L45": Question(None, ("architectures", "tokenizer")),
    "L46": Question(None, ("losses", "generate")),
}


def discuss(app: App, name: str, lang: str = "pt-BR") -> dict[str, Any]:
    """The full result of an experiment: its answer, findings with verdicts, limits, and its report in Markdown."""
    lang = language_of(lang)
    require(name in EXPERIMENTS, both("experiment.unknown", names=", ".join(EXPERIMENTS)))
    result = committed(app.config.results, name)
    if result is None:
        raise UserError(both("experiment.missing_short", folder=app.config.results))
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


def answering(number: str) -> str | None:
    """Return the experiment that answers a question, None where there is none yet."""
    experiment = QUESTIONS[number].experiment
    return experiment if experiment in EXPERIMENTS else None


def option(number: str, name: str, lang: Language) -> str:
    """Return an offered prediction; the experiment that answers the question has it."""
    experiment = answering(number)
    if experiment:
        return text(f"{experiment.replace('-', '_')}.predictions.{name}", lang)
    return text(f"discussion.{number}.predictions.{name}", lang)


def ask(app: App, *, question: str, lang: Language) -> tuple:
    """Return the question's background and what to predict, its options, an empty prediction, and no answer yet."""
    choices = [(option(question, name, lang), name) for name in OPTIONS]
    choices.append((text("discussion.other", lang), "other"))
    return views.asked(question, lang), gr.update(choices=choices, value=None), "", "", gr.update(visible=False)


def show_answer(app: App, *, question: str, made: str, lang: Language) -> tuple:
    """Return the notice, the answer and what comes after it once there is a prediction; else only a notice."""
    if made != question:
        return message(text("discussion.first", lang)), *[gr.skip()] * 5
    experiment, bearing = answering(question), QUESTIONS[question].bearing
    labs = [name for name in bearing if name in EXPERIMENTS or name in app.pages]
    result = committed(app.config.results, experiment) if experiment else None
    first = ""
    if not experiment:
        first = views.to_look_at(question, labs, "discussion.not_measured", lang)
    elif result:
        options = {name: option(question, name, lang) for name in OPTIONS}
        first = views.predictions(options, result.values["predictions"], lang)
    after = views.to_look_at(question, labs, "discussion.also", lang) if experiment else ""
    return (
        "", gr.update(visible=True), first, gr.update(visible=experiment is not None),
        show_full(app, experiment, lang) if experiment else "", after + views.for_the_class(question, lang),
    )  # fmt: skip
