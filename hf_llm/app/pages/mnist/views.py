"""What the page with digits draws: the board, what a model sees and answers, its activations, a training.

One cell of a convolution is drawn in convolution.py.
"""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.pages.mnist.pictures import image_tag
from hf_llm.app.server.training_process import Training
from hf_llm.app.views import bars, code, figure, figure_data, folded, message
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import Language, number, percent, text

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from hf_llm.explain.image_classifier import Answer

STRONGEST = 10  # units of a fully connected layer in the table
UNITS_A_ROW = 32
LOSSES = ("loss", "train_loss", "validation_loss")


def board(drawing: str, lang: Language) -> str:
    """Return the drawing board with a picture on it; draw.js makes it work."""
    names = ("title", "keys", "position", "down", "up", "undo", "clear")
    said = {name: escape(text(f"mnist.board.{name}", lang)) for name in names}
    return (
        f'<div class="board" data-board tabindex="0" role="application" aria-label="{said["title"]}"'
        f' aria-describedby="board-keys"><canvas width="140" height="140" data-picture="{escape(drawing)}"></canvas>'
        f'<span class="pen" aria-hidden="true"></span></div><p id="board-keys">{said["keys"]}</p>'
        f'<p role="status" class="pen-position" data-position="{said["position"]}" data-down="{said["down"]}"'
        f' data-up="{said["up"]}"></p><button type="button" class="token" data-undo>{said["undo"]}</button> '
        f'<button type="button" class="token" data-clear>{said["clear"]}</button>'
    )


def example_digits(found: dict[str, list[np.ndarray]], lang: Language) -> str:
    """Return the example digits of each source as buttons."""
    drawn = ""
    for source, digits in found.items():
        title = text(f"mnist.source.{source}", lang)
        buttons = ""
        for digit, pixels in enumerate(digits):
            picture = image_tag(pixels, text("mnist.example", lang, digit=digit, source=title))
            buttons += (
                f'<li><button type="button" class="example" data-choose="{source} {digit}">{picture}</button></li>'
            )
        drawn += figure(f'<ol class="tokens" data-arrows>{buttons}</ol>', title, lang)
    return drawn


def seen(image: "Image.Image", pixel_values: "torch.Tensor", found: bool, lang: Language) -> str:
    """Return the picture as the models see it, with the steps on the way there.

    Args:
        image: As it came.
        pixel_values: What the models are given, (1, 1, 28, 28).
        found: Whether its digit was looked for.
        lang: The reader's.
    """
    from hf_llm.explain.image_classifier import seen_pixels

    levels = seen_pixels(pixel_values)
    kept = image.size == (28, 28) and np.array_equal(np.asarray(image.convert("L")), levels)
    step = "kept" if kept else "found" if found else "scaled"
    steps = [text(f"mnist.{step}", lang, width=image.width, height=image.height)]
    darkest, lightest = float(pixel_values.min()), float(pixel_values.max())
    steps.append(text("mnist.normalised", lang, darkest=darkest, lightest=lightest))
    if not levels.any():
        steps.append(text("mnist.blank", lang))
    caption = text("mnist.seen", lang)
    records = [
        {"row": row, **{str(column): int(level) for column, level in enumerate(line)}}
        for row, line in enumerate(levels)
    ]
    headings = {**{key: key for key in records[0]}, "row": text("mnist.row_and_column", lang)}
    return (
        figure(image_tag(levels, caption, "seen"), caption, lang)
        + message(" ".join(steps))
        + figure_data("digit", records, headings, text("mnist.levels", lang), lang)
    )


def call(source: str, find: bool, lang: Language) -> str:
    form = "" if find else 'digit_form="any", '
    return code(
        "from transformers import AutoImageProcessor, AutoModelForImageClassification\n\n"
        f"folder = {source!r}\n"
        "processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)\n"
        "model = AutoModelForImageClassification.from_pretrained(folder, trust_remote_code=True).eval()\n"
        f'pixel_values = processor(image, {form}return_tensors="pt").pixel_values\n'
        "model(pixel_values=pixel_values).logits.softmax(-1)",
        lang,
    )


def answer(name: str, data: str, answer: "Answer", lang: Language) -> str:
    """Return a model's probabilities and activations; `data` is what it was trained on."""
    best = int(answer.probabilities.argmax())
    probabilities = answer.probabilities.tolist()
    records = [{"label": label, "probability": probability} for label, probability in zip(answer.labels, probabilities)]
    caption = text("mnist.probabilities", lang, model=name)
    says = text(
        "mnist.says", lang, model=name, data=data, label=answer.labels[best],
        probability=percent(probabilities[best], lang),
    )  # fmt: skip
    activations = text("mnist.activations", lang, model=name)
    on_the_way = "".join(_layer(layer, values, lang) for layer, values in answer.layers.items())
    on_the_way += _templates(answer.templates, lang) if answer.templates else ""
    on_the_way += figure_data("activations", _strongest(answer), "mnist.column", activations, lang)
    return (
        message(says)
        + bars(answer.labels, probabilities, caption, lang, largest=1.0)
        + figure_data("probabilities", records, "mnist.column", caption, lang)
        + folded(text("mnist.on_the_way", lang), on_the_way)
    )


def _layer(name: str, values: np.ndarray, lang: Language) -> str:
    """Return the activations of a layer as pictures: one for each map, or one of all units."""
    greatest, silent = float(np.abs(values).max()), float((values == 0).mean())
    if values.ndim == 3:
        title = text("mnist.maps", lang, layer=name, maps=len(values), side=values.shape[-1], silent=silent)
        pictures = [
            (shade(each, greatest), text("mnist.map", lang, layer=name, map=i),
             f"{i}: {number(float(each.max()), lang, '.2f')}")
            for i, each in enumerate(values)
        ]  # fmt: skip
        return figure(_row(pictures), title, lang)
    title = text("mnist.units", lang, layer=name, units=len(values), silent=silent)
    rows = -(-len(values) // UNITS_A_ROW)
    filled = np.zeros(rows * UNITS_A_ROW, dtype=values.dtype)
    filled[: len(values)] = values
    return figure(image_tag(shade(filled.reshape(rows, UNITS_A_ROW), greatest), title, "units"), title, lang)


def _templates(templates: dict[int, np.ndarray], lang: Language) -> str:
    """Return the weights of units of an MLP's first layer as pictures."""
    pictures = [
        (shade(weights, float(np.abs(weights).max())), text("mnist.template", lang, unit=unit), str(unit))
        for unit, weights in templates.items()
    ]
    return figure(_row(pictures), text("mnist.templates", lang, units=len(templates)), lang)


def _row(pictures: list[tuple[np.ndarray, str, str]]) -> str:
    """Return pictures side by side, each (pixels, what a screen reader says, what stands below)."""
    items = "".join(f"<li>{image_tag(pixels, said)}<small>{below}</small></li>" for pixels, said, below in pictures)
    return f'<ul class="maps">{items}</ul>'


def shade(values: np.ndarray, greatest: float) -> np.ndarray:
    """Return numbers (H, W) as colours, uint8 (H, W, 3): zero black, `greatest` white, below zero orange."""
    strength = np.abs(values) / (greatest or 1.0)
    colour = np.where(values[..., None] < 0, np.array([255, 140, 0]), np.array([255, 255, 255]))
    return np.rint(strength[..., None] * colour).clip(0, 255).astype(np.uint8)


def _strongest(answer: "Answer") -> list[dict]:
    """Return every map, and the strongest units of each fully connected layer, with their activation."""
    records = []
    for layer, values in answer.layers.items():
        flat = values.reshape(len(values), -1)  # (maps, H · W) or (units, 1)
        greatest, mean = flat.max(axis=1), flat.mean(axis=1)
        shown = range(len(values)) if values.ndim == 3 else np.argsort(-greatest)[:STRONGEST]
        records += [
            {"layer": layer, "map_or_unit": int(i), "greatest": float(greatest[i]), "mean": float(mean[i])}
            for i in shown
        ]
    return records


def shifts(found: dict[str, list[float]], images: int, source: str, lang: Language) -> str:
    """Return the accuracy of each model by how many pixels the digits are shifted, from 0."""
    title = text("mnist.shift_title", lang, images=images, source=text(f"mnist.source.{source}", lang))
    lines = [Line(name, list(enumerate(values)), colour) for colour, (name, values) in enumerate(found.items())]
    records = [{"pixels": i, **dict(zip(found, values))} for i, values in enumerate(zip(*found.values()))]
    pixels = text("mnist.pixels", lang)
    headings = {**{name: name for name in found}, "pixels": pixels}
    drawn = line_chart(lines, title, pixels, text("mnist.accuracy", lang), lang)
    return drawn + figure_data("accuracy-by-shift", records, headings, title, lang)


def training(training: Training | None, lang: Language) -> str:
    """Return how a training goes: its state, its curves, the command."""
    if training is None:
        return message(text("mnist.none_running", lang))
    command = code(training.shown_command(), lang, "app.command")
    return state_of(training, lang) + _curves(training.records(), lang) + command


def state_of(training: Training, lang: Language) -> str:
    """Return what a training does now, or how it ended."""
    state, values, kind = training.state, {"seconds": round(training.seconds), "name": training.name}, "note"
    if state == "waiting":
        values["place"], values["waiting"] = training.place or ("?", "?")
    elif state == "failed":
        values, kind = {"reason": training.error()}, "bad"
    elif state == "finished":
        manifest, kind = read_manifest(training.folder) or {}, "good"
        values["accuracy"] = manifest.get("metrics", {}).get("validation", {}).get("accuracy", 0.0)
    ends = state not in ("running", "waiting")  # a screen reader would read each tick aloud
    return message(text(f"mnist.state.{state}", lang, **values), kind, announced=ends)


def _curves(records: list[dict], lang: Language) -> str:
    if not records:
        return ""
    lines = [
        Line(text(f"mnist.column.{name}", lang), [(each["step"], each[name]) for each in records if name in each], i)
        for i, name in enumerate(LOSSES)
    ]
    caption, step = text("mnist.training_curves", lang), text("mnist.column.step", lang)
    columns = ("step", *LOSSES, "train_accuracy", "validation_accuracy", "learning_rate", "grad_norm")
    rows = [{column: record.get(column) for column in columns} for record in records]
    drawn = line_chart(lines, caption, step, text("mnist.loss", lang), lang, log=True)
    return drawn + figure_data("training", rows, "mnist.column", caption, lang)
