"""What the page of the labs answers: an example of what goes well or badly, and the lab that it comes from."""

from dataclasses import dataclass

from hf_llm.app.page import App
from hf_llm.app.pages.discussion.answers import QUESTIONS
from hf_llm.app.pages.experiment.answers import show_full
from hf_llm.app.pages.foundations import views
from hf_llm.app.server.results import committed
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import Language

LABS = tuple(name for name in EXPERIMENTS if name not in QUESTIONS.values())


@dataclass(frozen=True)
class Example:
    """A figure that shows something going well or badly; `example.<its name>` and `why.<its name>` say what and why."""

    lab: str
    figure: str
    good: bool


EXAMPLES = {
    "exploding_rate": Example("optimizers", "rates", False),
    "dead_relu": Example("activations", "dead", False),
    "over_fitting": Example("regularization", "curves", False),
    "vanishing": Example("backprop", "flow", False),
    "sure_and_wrong": Example("losses", "gradients", False),
    "too_deep": Example("architectures", "skip_connections", False),
    "same_scale": Example("feature-scaling", "paths", True),
    "dropout_helps": Example("dropout-study", "by_dropout", True),
    "momentum": Example("optimizers", "surfaces", True),
    "honest": Example("losses", "calibration", True),
}


def show_example(app: App, *, example: str, lang: Language) -> str:
    """Return an example: whether it is a good or a bad one, why, its figure, and a button that opens its lab."""
    shown = EXAMPLES[example]
    result = committed(app.config.results, shown.lab)
    return views.example(example, shown, result, app.public(app.config.results), lang)


def show_lab(app: App, *, lab: str, lang: Language) -> str:
    return show_full(app, lab, lang)


def open_lab(app: App, *, choice: str, lang: Language) -> str:
    """Return the lab of the example whose button was clicked."""
    return choice
