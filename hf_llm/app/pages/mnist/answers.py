"""What the page with digits answers: what two classifiers make of a drawing, and a classifier trained in the page."""

import secrets
from typing import TYPE_CHECKING

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.mnist import study, views
from hf_llm.app.pages.mnist.convolution import SIDE, written_out
from hf_llm.app.pages.mnist.pictures import (
    as_picture,
    examples,
    open_picture,
    preset_picture,
    shifted,
    sources,
    test_images,
)
from hf_llm.app.pages.mnist.recipe import MODELS, preset_settings, training_command
from hf_llm.app.server.library import first
from hf_llm.app.server.results import committed
from hf_llm.app.views import message
from hf_llm.config import UserError, require
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import Language, both, text

if TYPE_CHECKING:
    import torch
    from PIL import Image

SHIFTS = range(7)
SHIFTED_IMAGES = 200


def classify_digit(app: App, image: str, model: str | None = None) -> dict[str, float]:
    """Classify one digit: the base64 text of a PNG of any size up to 1024×1024, a drawing, a scan or a photo.

    The model is a name that the page lists, by default the first one. Returns the probability of each class.
    """
    from hf_llm.explain.image_classifier import classify

    model = first(app.library.image_classifiers()) if model is None else model
    classifier = app.library.image_classifier(model)
    answer = classify(classifier, _prepared(app, open_picture(image), True, model))
    return dict(zip(answer.labels, answer.probabilities.tolist(), strict=True))


ENDPOINTS = {"classify_digit": classify_digit}


def _prepared(app: App, image: "Image.Image", find: bool, model: str | None) -> "torch.Tensor":
    """Return what `model` is given of a picture, (1, 1, 28, 28): in the form of its training, if `find`.

    Raises:
        UserError: When the picture cannot be read, is empty or shows several digits.
    """
    from hf_llm.explain.image_classifier import prepare
    from hf_llm.models.digit_ink import EmptyPicture, SeveralDigits
    from hf_llm.models.image_processing_digits import DigitsImageProcessor

    form = DigitsImageProcessor.digit_form
    if not find:
        form = "any"
    elif model:
        form = DigitsImageProcessor.from_pretrained(app.library.folder(model)).digit_form
    try:
        return prepare(image, form)
    except EmptyPicture:
        raise UserError(both("mnist.empty")) from None
    except SeveralDigits as error:
        raise UserError(both("mnist.several", count=error.count)) from None
    except ValueError:
        raise UserError(both("mnist.damaged")) from None


def show_all(
    app: App, *, drawing: str, find: bool, left: str | None, right: str | None, feature_map: int, row: int,
    column: int, lang: Language,
) -> list[str]:  # fmt: skip
    """Return what the model on the left sees, both answers, the call, the convolution; for a bad picture a message."""
    from hf_llm.explain.image_classifier import classify

    try:
        image = open_picture(drawing)
        given = {name: _prepared(app, image, find, name) for name in (left, right)}
    except UserError as error:
        return [message(app.said(error, lang), "bad"), "", "", "", ""]
    names, drawn = [name for name in given if name], []
    for name in (left, right):
        if name:
            answer = classify(app.library.image_classifier(name), given[name])
            drawn.append(views.answer(name, trained_on(app, name), answer, lang))
        else:
            drawn.append(message(text("mnist.no_model", lang)))
    return [
        views.seen(image, given[left], find, lang), *drawn,
        views.call(app.library.source(names[0]), find, lang) if names else "",
        _cell(app, given, feature_map, row, column, lang),
    ]  # fmt: skip


def show_cell(
    app: App, *, drawing: str, find: bool, left: str | None, right: str | None, feature_map: int, row: int,
    column: int, lang: Language,
) -> str:  # fmt: skip
    """Return the convolution alone, for another map, row or column; errors of the picture are shown elsewhere."""
    try:
        image = open_picture(drawing)
        given = {name: _prepared(app, image, find, name) for name in (left, right)}
    except UserError:
        return ""
    return _cell(app, given, feature_map, row, column, lang)


def _cell(
    app: App, given: "dict[str | None, torch.Tensor]", feature_map: int, row: int, column: int, lang: Language
) -> str:
    """Return a cell of the first LeNet among the models, `given` what each of them sees."""
    from hf_llm.models.modeling_lenet import LeNetForImageClassification

    for name, pixel_values in given.items():
        model = app.library.image_classifier(name) if name else None
        if isinstance(model, LeNetForImageClassification):
            return written_out(name, model, pixel_values, int(feature_map), int(row), int(column), lang)
    return message(text("mnist.no_lenet", lang))


def show_kinds(app: App, *, left: str | None, right: str | None, lang: Language) -> tuple[str, dict, dict]:
    """Return whether the two sides are one network, the button that trains a LeNet, and the sliders of its cell.

    The button is there while nobody has a LeNet; the sliders are, while one of the two networks is one.
    """
    a_lenet = any(_kind(app, name) == "lenet" for name in app.library.image_classifiers())
    said = ""
    if left and left == right:
        said = message(text("mnist.one_network" if a_lenet else "mnist.only_mlps", lang))
    cell = any(_kind(app, name) == "lenet" for name in (left, right) if name)
    return said, gr.update(visible=not a_lenet), gr.update(visible=cell)


def choose_cell(app: App, *, choice: str, lang: Language) -> tuple[int, int]:
    """Return row and column of the chosen cell."""
    row, _, column = choice.partition(",")
    known = row.isdecimal() and column.isdecimal() and int(row) < SIDE and int(column) < SIDE
    require(known, both("mnist.no_cell"))
    return int(row), int(column)


def show_shifts(app: App, *, left: str | None, right: str | None, lang: Language) -> str:
    """Return the accuracy of both models on test digits that are moved to the left, pixel by pixel."""
    from hf_llm.explain.image_classifier import accuracy

    names = list(dict.fromkeys(name for name in (left, right) if name))
    if not names:
        return message(text("mnist.no_model", lang))
    source = source_like(app, left)
    images, labels = (each[:SHIFTED_IMAGES] for each in test_images(source))
    found = {
        name: [accuracy(app.library.image_classifier(name), shifted(images, -pixels), labels) for pixels in SHIFTS]
        for name in names
    }
    return views.shifts(found, len(images), source, lang)


def begin(app: App, *, drawing: str, left: str | None, lang: Language) -> tuple[str, str]:
    """Return the picture that the page opens with, the URL's or else a digit, and the board that holds it."""
    drawing = drawing or preset_picture("centred", source_like(app, left))[0]
    return drawing, views.board(drawing, lang)


def drawn(app: App, *, choice: str, lang: Language) -> str:
    """Return what was drawn, for the hidden text that holds the picture."""
    return choice


def show_examples(app: App, *, lang: Language) -> str:
    return views.example_digits({source: examples(source) for source in sources()}, lang)


def choose_example(app: App, *, choice: str, lang: Language) -> tuple[str, str, str]:
    """Return the chosen example as the picture, the board with it, and no reason."""
    source, _, digit = choice.partition(" ")
    require(source in sources() and digit in map(str, range(10)), both("mnist.no_example"))
    drawing = as_picture(examples(source)[int(digit)])
    return drawing, views.board(drawing, lang), ""


def choose_preset(app: App, *, name: str, left: str | None, lang: Language) -> tuple[str, bool, str, str]:
    """Return the picture of a preset, whether its digit is found, the board, and the reason why to look at it."""
    drawing, find = preset_picture(name, source_like(app, left))
    return drawing, find, views.board(drawing, lang), message(text(f"mnist.why.{name}", lang))


def classifiers(app: App, kind: str) -> list[str]:
    """Return the image classifiers to choose from, those of `kind` (mlp, lenet) first, the newest of them on top.

    Without a LeNet its side begins with another MLP, where there is another.
    """
    names = sorted(app.library.image_classifiers(), key=lambda name: _kind(app, name) != kind)
    if kind == "lenet" and names and _kind(app, names[0]) != kind:
        names[:2] = names[1::-1]
    return names


def _kind(app: App, name: str) -> str | None:
    try:
        return ((read_manifest(app.library.runs / name) or {}).get("config") or {}).get("model")
    except UserError:
        return None  # removed since it was listed


def trained_on(app: App, name: str) -> str:
    """Return the name of the images that a classifier was trained on."""
    return ((read_manifest(app.library.folder(name)) or {}).get("data") or {}).get("name", "?")


def source_like(app: App, name: str | None) -> str:
    """Return where digits like those of a model's training come from, as far as they are at hand."""
    data = trained_on(app, name) if name else None
    return data if data in sources() else sources()[0]


def show_study(app: App, *, size: str, curve: str, lang: Language) -> str:
    """Return the committed result of the exercise for a size of the training set, as curves of loss or accuracy."""
    result = committed(app.config.results, "dropout-study")
    if result is None or not result.rows("curves"):
        return message(text("mnist.no_study", lang))
    return study.draw(result, size, curve, lang)


def choose_training(app: App, *, name: str, lang: Language) -> list:
    """Return why to look at a training, and its settings."""
    return [message(text(f"mnist.train_why.{name}", lang)), *preset_settings(name, app.config.training_steps).values()]


def start(app: App, *, owner: str, lang: Language, **settings) -> tuple[str, str]:
    """Start a training with the `settings` of `SETTINGS`; return its name and the secret of this browser.

    Raises:
        UserError: When a value is impossible here, or the training cannot be taken on.
    """
    owner = owner or secrets.token_urlsafe(16)
    return app.trainings.start(settings["model"], training_command(app, **settings), owner=owner).name, owner


def start_lenet(app: App, *, owner: str, lang: Language) -> tuple[str, str]:
    """Start a LeNet by the recipe that works; returns and errors as in `start`."""
    settings = preset_settings("sound", app.config.training_steps) | {"model": "lenet"}
    return start(app, owner=owner, lang=lang, **settings)


def look(app: App, *, run: str | None, lang: Language) -> list:
    """Return how a training goes, the timer, the lists of models, and for a LeNet its state once more.

    A finished one is chosen in its list.
    """
    training = app.trainings.get(run) if run else None
    lists = [gr.skip()] * len(MODELS)
    if training is not None and training.state == "finished":
        lists = [gr.update(choices=classifiers(app, kind)) for kind in MODELS]
        for kind, update in zip(MODELS, lists):
            if _is(run, kind):
                update["value"] = run
    running = training is not None and training.state in ("running", "waiting")
    state = views.state_of(training, lang) if training is not None and _is(run, "lenet") else ""
    return [views.training(training, lang), gr.Timer(active=running), *lists, state]


def _is(run: str, kind: str) -> bool:
    """Say whether the training called `run` is one of a network of this kind."""
    return run.rpartition("/")[2].startswith(kind)


def look_again(app: App, *, run: str | None, lang: Language) -> list:
    """Return the same when the page opens, for the training that this browser started; of an ended one nothing."""
    training = app.trainings.get(run) if run else None
    if training is None or training.state not in ("running", "waiting"):
        return [gr.skip()] * (3 + len(MODELS))
    return look(app, run=run, lang=lang)


def stop(app: App, *, run: str | None, owner: str, lang: Language) -> str:
    training = app.trainings.get(run) if run else None
    if training is not None and training.owned_by(owner or ""):
        training.end("stopped")
    return views.training(training, lang)
