"""Dropout on a network that reads digits: in training other units are off at each pass, in evaluation none is."""

from html import escape

import gradio as gr
import numpy as np

from hf_llm.app.i18n import t
from hf_llm.app.pages.experiment.views import answer
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.pages.mnist.answers import classifiers, source_like
from hf_llm.app.pages.mnist.pictures import PRESET_DIGIT, examples, image_tag
from hf_llm.app.pages.mnist.views import UNITS_A_ROW, shade
from hf_llm.app.views import bars, folded, message
from hf_llm.config import UserError
from hf_llm.texts import both, text

MODES, PASSES = ("training", "evaluation"), 4


def controls() -> dict:
    modes = [(t(f"dropout.mode.{name}"), name) for name in MODES]
    return {
        "mode": gr.Radio(modes, value="training", label=t("dropout.modes")),
        "p": gr.Slider(0, 0.9, 0.8, step=0.1, label=t("dropout.p")),
    }


def network(at: At) -> tuple[str, object]:
    """Return the name of the newest MLP, and the model.

    Raises:
        UserError: When there is none.
    """
    for name in classifiers(at.app, "mlp"):
        model = at.app.library.image_classifier(name)
        if model.config.model_type == "hf_llm_mlp":
            return name, model
    raise UserError(both("dropout.no_network"))


def draw(at: At, *, mode: str, p: float) -> Seen:
    """Return the first hidden layer in two passes, and the probability of the digit in each of `PASSES`."""
    from hf_llm.explain.image_classifier import prepare
    from hf_llm.explain.with_dropout import with_dropout

    name, model = network(at)
    pixels = prepare([examples(source_like(at.app, name))[PRESET_DIGIT]], "any")  # (1, 1, 28, 28)
    used = p if mode == "training" else 0.0
    passes = [with_dropout(model, pixels, used, seed) for seed in range(PASSES)]
    units, changed = passes[0].units, with_dropout(model, pixels, 0.0, 0).units
    off = float(((units == 0) & (changed != 0)).sum() / max(1, int((changed != 0).sum())))
    greatest = float(max(abs(one.units).max() for one in passes))
    pictures = "".join(
        f"<figure><figcaption>{escape(said)}</figcaption>"
        f"{image_tag(shade(_rows(one.units), greatest), '', 'units')}</figure>"
        for number, one in enumerate(passes[:2], 1)
        for said in [text("dropout.pass", at.lang, number=number)]
    )
    digit = [float(one.probabilities[PRESET_DIGIT]) for one in passes]
    names = [text("dropout.pass", at.lang, number=number) for number in range(1, PASSES + 1)]
    caption = text("dropout.probability", at.lang, digit=PRESET_DIGIT, model=name)
    shown = bars(names, digit, caption, at.lang, 1.0)
    drawn = f'<div class="side-by-side"><div>{pictures}</div><div>{shown}</div></div>'
    again = [with_dropout(model, pixels, 0.0, seed).probabilities for seed in (0, 1)]
    why = text(f"dropout.why.{mode}", at.lang, off=off, scale=1 / (1 - p), p=p)
    return Seen(drawn + _exercise(at), why, "b" if np.array_equal(*again) else "a")


def _rows(units: np.ndarray) -> np.ndarray:
    """Return units (N,) as a matrix that is filled with zeros at its end."""
    rows = -(-len(units) // UNITS_A_ROW)
    return np.pad(units, (0, rows * UNITS_A_ROW - len(units))).reshape(rows, UNITS_A_ROW)


def _exercise(at: At) -> str:
    """Return what the lecture's exercise found, folded."""
    try:
        found = answer(at.result("dropout-study"), at.lang)
    except UserError as error:
        found = message(at.app.said(error, at.lang))
    return folded(text("dropout.exercise", at.lang), found)


STEP = Step("dropout", controls, draw, "mnist", sentence=False, needs="mlp")
