"""What an image classifier makes of a picture: its probabilities and the activations on the way to them."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from hf_llm.app.pages.mnist.pictures import image_tag, shifted, test_images
from hf_llm.app.texts import Language, text
from hf_llm.app.views import bars, behind, message, number
from hf_llm.config import UserError

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from transformers import PreTrainedModel

TEMPLATES = 6  # units of an MLP whose weights are drawn
STRONGEST = 10  # units of a fully connected layer in the table
UNITS_A_ROW = 32
SHIFTS = range(7)
SHIFTED_IMAGES = 200


@dataclass(frozen=True)
class Answer:
    """What a model says, and how it comes to it; all fp32.

    Args:
        labels: Names of the classes.
        probabilities: (classes,).
        layers: {name: activations}, (maps, H, W) or (units,).
        templates: Of an MLP, {unit: weights over the pixels, (H, W)} of the strongest units of the first layer.
    """

    labels: list[str]
    probabilities: np.ndarray
    layers: dict[str, np.ndarray]
    templates: dict[int, np.ndarray]


@cache
def _processor():
    from hf_llm.models.image_processing_digits import DigitsImageProcessor

    return DigitsImageProcessor()


def prepare(image: "Image.Image | list[np.ndarray]", invert: bool = True) -> "torch.Tensor":
    """Return what the models are given, (B, 1, 28, 28).

    Raises:
        UserError: When the image processor does not take the image.
    """
    try:
        return _processor()(image, do_invert=invert, return_tensors="pt").pixel_values
    except ValueError as error:
        raise UserError(str(error)) from error


def seen_pixels(pixel_values: "torch.Tensor") -> np.ndarray:
    """Return the model's input as grey levels again, uint8 (28, 28): the normalisation undone."""
    processor = _processor()
    levels = pixel_values[0, 0].numpy() * processor.image_std[0] + processor.image_mean[0]
    return np.rint(levels * 255).clip(0, 255).astype(np.uint8)


def ask(model: "PreTrainedModel", pixel_values: "torch.Tensor") -> Answer:
    """Return the model's answer to one image, (1, 1, 28, 28)."""
    import torch

    with torch.no_grad():
        output = model(pixel_values=pixel_values, output_hidden_states=True)
    labels = [str(model.config.id2label[place]) for place in range(model.config.num_labels)]
    states = [state[0].float().numpy() for state in output.hidden_states]
    templates = {}
    if model.config.model_type == "hf_llm_mlp":
        weights = model.layers[0][0].weight.detach().numpy().reshape(-1, *pixel_values.shape[-2:])
        templates = {int(unit): weights[unit] for unit in np.argsort(-states[0])[:TEMPLATES]}
    layers = dict(zip(layer_names(model, states), states))
    return Answer(labels, output.logits.softmax(-1)[0].numpy(), layers, templates)


def layer_names(model: "PreTrainedModel", states: list[np.ndarray]) -> list[str]:
    """Return the names of the hidden states: LeNet's own, else the number, from 1."""
    if model.config.model_type == "hf_llm_lenet":
        return ["C1", "S2", "C3", "S4", *(f"{'CF'[place % 2]}{5 + place}" for place in range(len(states) - 4))]
    return [str(place + 1) for place in range(len(states))]


def show_seen(image: "Image.Image", pixel_values: "torch.Tensor", lang: Language) -> str:
    """Return the picture as it came and as the models see it, with the steps between in words."""
    plain = prepare(image, invert=False)
    inverted = bool((plain - pixel_values).abs().max() > 0.1)
    seen = seen_pixels(pixel_values)
    lightest, darkest = (number(float(end), lang) for end in (pixel_values.max(), pixel_values.min()))
    steps = [
        text("mnist.kept", lang) if image.size == (28, 28)
        else text("mnist.scaled", lang, width=image.width, height=image.height),
        *([text("mnist.inverted", lang)] if inverted else []),
        text("mnist.normalised", lang, darkest=darkest, lightest=lightest),
        *([] if seen.any() else [text("mnist.blank", lang)]),
    ]  # fmt: skip
    caption = text("mnist.seen", lang)
    records = [{"row": row, **{str(column): int(level) for column, level in enumerate(levels)}}
               for row, levels in enumerate(seen)]  # fmt: skip
    headings = {key: text("mnist.row_column", lang) if key == "row" else key for key in records[0]}
    return (
        f"<figure><figcaption>{caption}</figcaption>{image_tag(seen, caption, 'seen')}</figure>"
        + message(" ".join(steps))
        + behind("digit", records, headings, text("mnist.levels", lang), lang)
    )


def show_answer(name: str, data: str, answer: Answer, lang: Language) -> str:
    """Return a model's probabilities and activations, drawn; `data` is what it was trained on."""
    best = int(answer.probabilities.argmax())
    percent = number(100 * float(answer.probabilities[best]), lang, 1)
    records = [
        {"label": label, "probability": float(probability)}
        for label, probability in zip(answer.labels, answer.probabilities, strict=True)
    ]
    caption = text("mnist.probabilities", lang, model=name)
    return (
        message(text("mnist.says", lang, model=name, data=data, label=answer.labels[best], percent=percent))
        + bars(answer.labels, answer.probabilities.round(5).tolist(), caption, lang, digits=5, largest=1.0)
        + behind("probabilities", records, {key: text(f"mnist.{key}", lang) for key in records[0]}, caption, lang)
        + "".join(_layer(layer, values, lang) for layer, values in answer.layers.items())
        + (_templates(answer.templates, lang) if answer.templates else "")
        + behind("activations", *_strongest(answer, lang), text("mnist.activations", lang, model=name), lang)
    )


def _layer(name: str, values: np.ndarray, lang: Language) -> str:
    """Return the activations of a layer as pictures: one for each map, or one of all units."""
    greatest = float(np.abs(values).max())
    silent = number(100 * float((values == 0).mean()), lang, 0)
    if values.ndim == 3:
        title = text("mnist.maps", lang, layer=name, maps=len(values), side=values.shape[-1], silent=silent)
        pictures = "".join(
            f"<li>{image_tag(shade(each, greatest), text('mnist.map', lang, layer=name, map=place))}"
            f"<small>{place}: {number(float(each.max()), lang, 2)}</small></li>"
            for place, each in enumerate(values)
        )
        return f'<figure><figcaption>{title}</figcaption><ul class="maps">{pictures}</ul></figure>'
    title = text("mnist.units", lang, layer=name, units=len(values), silent=silent)
    rows = -(-len(values) // UNITS_A_ROW)
    filled = np.zeros(rows * UNITS_A_ROW, dtype=values.dtype)
    filled[: len(values)] = values
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f"{image_tag(shade(filled.reshape(rows, UNITS_A_ROW), greatest), title, 'units')}</figure>"
    )


def _templates(templates: dict[int, np.ndarray], lang: Language) -> str:
    """Return the weights of units of an MLP's first layer as pictures."""
    pictures = "".join(
        f"<li>{image_tag(shade(weights, float(np.abs(weights).max())), text('mnist.template', lang, unit=unit))}"
        f"<small>{unit}</small></li>"
        for unit, weights in templates.items()
    )
    title = text("mnist.templates", lang, units=len(templates))
    return f'<figure><figcaption>{title}</figcaption><ul class="maps">{pictures}</ul></figure>'


def shade(values: np.ndarray, greatest: float) -> np.ndarray:
    """Return numbers (H, W) as colours, uint8 (H, W, 3): zero black, `greatest` white, below zero orange."""
    part = np.abs(values) / (greatest or 1.0)
    colour = np.where(values[..., None] < 0, np.array([255, 140, 0]), np.array([255, 255, 255]))
    return np.rint(part[..., None] * colour).clip(0, 255).astype(np.uint8)


def _strongest(answer: Answer, lang: Language) -> tuple[list[dict], dict[str, str]]:
    """Return every map, and the strongest units of each fully connected layer, with their activation."""
    records = []
    for layer, values in answer.layers.items():
        greatest = values.reshape(len(values), -1).max(axis=1)  # (maps,) or (units,)
        mean = values.reshape(len(values), -1).mean(axis=1)
        shown = range(len(values)) if values.ndim == 3 else np.argsort(-greatest)[:STRONGEST]
        records += [
            {"layer": layer, "map_or_unit": int(place), "greatest": float(greatest[place]), "mean": float(mean[place])}
            for place in shown
        ]
    return records, {key: text(f"mnist.{key}", lang) for key in records[0]}


def accuracy_by_shift(model: "PreTrainedModel", source: str) -> list[float]:
    """Return the share of the first test images that the model gets right when they are moved by 0, 1, … pixels."""
    import torch

    images, labels = (part[:SHIFTED_IMAGES] for part in test_images(source))
    shares = []
    for pixels in SHIFTS:
        with torch.no_grad():
            logits = model(pixel_values=prepare(list(shifted(images, -pixels)))).logits
        shares.append(float((logits.argmax(-1).numpy() == labels).mean()))
    return shares
