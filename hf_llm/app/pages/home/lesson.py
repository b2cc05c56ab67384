"""The lesson: its steps in the order of the lecture, and what one of them shows before and after a prediction."""

import importlib
import secrets

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.home import views
from hf_llm.app.pages.home.step import OPTIONS, At, Seen, Step
from hf_llm.app.pages.mnist.answers import start
from hf_llm.app.pages.mnist.recipe import PRESETS, SETTINGS
from hf_llm.app.pages.mnist.views import training
from hf_llm.app.views import message
from hf_llm.config import UserError
from hf_llm.texts import Language

NAMES = (
    "neuron", "descent", "optimizer", "dropout",  # neural networks
    "pieces", "addresses", "mask", "values", "block", "temperature", "recitation", "tf_idf", "judge",  # building an LLM
    "seven",
)  # fmt: skip
STEPS: dict[str, Step] = {name: importlib.import_module(f"{__package__}.steps.{name}.step").STEP for name in NAMES}
SENTENCES: dict[Language, str] = {
    "pt-BR": "O gato que estava no quarto do apartamento 3 foi encontrado por",
    "en": "The cat that was in the bedroom of apartment 3 was found by",
}


def open_step(app: App, *, step: str, text: str, model: str | None, made: dict, lang: Language, **given) -> dict:
    """Return what a step puts on the page around its drawing, {part of the page: value}.

    Args:
        app: What the pages share.
        step: Its name; an unknown one, in a link, is the first.
        text, model: The sentence and the model that go through the lesson.
        made: {step: prediction} of this browser.
        lang: The reader's language.
        given: The controls of all steps, {<step>_<name>: value}.
    """
    shown, made = STEPS.get(step, STEPS[NAMES[0]]), known(made)
    choices = [(shown.say(f"option.{name}", lang), name) for name in OPTIONS] if shown.predicts else []
    predicted = not shown.predicts or shown.name in made
    asked = {"step": shown.name, "text": text, "model": model, "made": made, "lang": lang, **given}
    missing = predicted and shown.needs == "mlp" and not draw(app, **asked)["why"]
    layers = layers_of(app, model) if predicted and shown.layered else None
    limits = {
        f"layer of {name}": gr.update(maximum=layers - 1) if layers and name == shown.name else gr.skip()
        for name in NAMES
        if STEPS[name].layered
    }
    return {
        "path": views.path(STEPS, shown.name, made, lang),
        "asked": views.asked(shown, lang),
        "choice": gr.update(choices=choices, value=made.get(shown.name), visible=shown.predicts),
        "sentence": gr.update(visible=shown.sentence),
        "train_network": gr.update(visible=missing),
        **{f"column {name}": gr.update(visible=name == shown.name and predicted) for name in NAMES},
        **limits,
        "back": gr.update(interactive=shown.name != NAMES[0]),
        "forward": gr.update(interactive=shown.name != NAMES[-1]),
    }


def draw(app: App, *, step: str, text: str, model: str | None, made: dict, lang: Language, **given) -> dict[str, str]:
    """Return what a step shows once there is a prediction, why, and the way further; before, to predict first."""
    shown, made = STEPS.get(step, STEPS[NAMES[0]]), known(made)
    further = {
        "further": views.further(shown, text, model, lang),
        "language": views.language(app, shown, model, lang),
    }
    if shown.predicts and shown.name not in made:
        return {"verdict": views.before(lang), "seen": "", "why": "", "below": "", **further}
    prefix = f"{shown.name}_"
    own = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
    try:
        seen: Seen = shown.draw(At(app, text, model, lang), **own)
    except UserError as error:
        return {"verdict": "", "seen": message(app.said(error, lang), "bad"), "why": "", "below": "", **further}
    verdict = views.verdict(shown, seen, made.get(shown.name), lang)
    return {"verdict": verdict, "seen": seen.shown, "why": views.why(seen), "below": seen.below, **further}


def layers_of(app: App, model: str | None) -> int | None:
    """Return how many layers a model has; None where it cannot be had, which `draw` tells the reader."""
    try:
        return app.library.language_model(model).model.config.num_hidden_layers if model else None
    except UserError:
        return None


def known(made: object) -> dict[str, str]:
    """Return the predictions that a browser has kept, as far as they are any: it may hold anything."""
    pairs = made.items() if isinstance(made, dict) else ()
    return {name: option for name, option in pairs if name in STEPS and option in [*OPTIONS]}


def predict(app: App, *, step: str, choice: str | None, made: dict, lang: Language) -> dict[str, str]:
    """Return the predictions with that of a step."""
    return known(made) | ({step: choice} if choice in [*OPTIONS] and step in STEPS else {})


def choose(app: App, *, choice: str, step: str, **given) -> dict:
    """Return what a click in what a step shows sets: the step, on the way back, or a token of `values`."""
    if choice in STEPS:
        return {"step": choice}
    return {"values_key": int(choice)} if step == "values" and choice.isdecimal() else {}


def choose_in_picture(app: App, *, choice: str, block_off: str, **given) -> dict:
    """Return the layer or the part switched off that a click in the picture of the block sets."""
    opens, _, value = choice.partition(":")
    if opens == "layer":
        return {"block_layer": int(value)}
    return {"block_off": "nothing" if value == block_off else value} if opens == "off" else {}


def go(app: App, *, choice: str, lang: Language) -> str:
    """Return the step that was clicked in the list of all."""
    return choice if choice in STEPS else gr.skip()


def models_now(app: App, *, model: str | None, lang: Language) -> dict:
    """Return the list of models as it is by now, with one chosen as soon as there is one."""
    names = app.library.language_models(lang)
    return gr.update(choices=names, value=model if model in names else next(iter(names), None))


def train_network(app: App, *, owner: str, lang: Language) -> tuple[str, str]:
    """Start the training of a network that reads digits; errors as in `Trainings.start`."""
    return start(app, owner=owner or secrets.token_urlsafe(16), lang=lang, **dict(zip(SETTINGS, PRESETS["sound"])))


def look_at_network(app: App, *, run: str, lang: Language) -> tuple[str, dict]:
    """Return how that training goes, nothing of one that has ended before, and the timer."""
    found = app.trainings.get(run or "")
    busy = found is not None and found.state in ("running", "waiting")
    return training(found, lang) if busy else "", gr.update(active=busy)
