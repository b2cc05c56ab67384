"""The MNIST page's functions: answers are the models' own, hostile pictures are refused, every number is real."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.pages.mnist import answers, page, views
from hf_llm.app.pages.mnist.convolution import written_out
from hf_llm.app.pages.mnist.pictures import (
    MOST_CHARACTERS,
    MOST_PIXELS,
    as_picture,
    examples,
    open_picture,
    preset_picture,
    shifted,
    sources,
)
from hf_llm.app.pages.mnist.pictures import (
    test_images as digits_of,
)
from hf_llm.app.pages.mnist.recipe import PRESETS, SETTINGS, training_command
from hf_llm.app.pages.mnist.study import SIZES
from hf_llm.app.server.library import Library
from hf_llm.app.server.results import committed
from hf_llm.app.server.trainings import Trainings
from hf_llm.config import UserError
from hf_llm.explain.image_classifier import accuracy, classify, prepare, seen_pixels

SHOWN = {"find": True, "left": "mlp", "right": "lenet", "feature_map": 0, "row": 12, "column": 14, "lang": "en"}


def show_all(app, drawing: str, **changes) -> list[str]:
    return answers.show_all(app, drawing=drawing, **{**SHOWN, **changes})


@pytest.fixture
def digit() -> np.ndarray:
    return examples("digits")[2]


def png(mode: str = "L", size: tuple[int, int] = (28, 28), **options) -> str:
    file = io.BytesIO()
    Image.new(mode, size, **options).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_probabilities_are_the_softmax_of_transformers(app, runs, digit, name):
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(runs / name).eval()
    pixel_values = AutoImageProcessor.from_pretrained(runs / name)(digit, return_tensors="pt").pixel_values
    with torch.no_grad():
        expected = model(pixel_values=pixel_values).logits.softmax(-1)[0].numpy()
    given = answers.classify_digit(app, as_picture(digit), name)
    assert list(given) == [str(label) for label in range(10)]
    np.testing.assert_allclose(list(given.values()), expected, rtol=0, atol=1e-5)
    shown = show_all(app, as_picture(digit), left=name)[1]
    numbers = re.findall(r'<th scope="row"><bdi>\d</bdi></th><td>.*?</td><td>(.*?)</td>', shown)
    shown_numbers = [float(number.replace("−", "-")) for number in numbers]
    np.testing.assert_allclose(shown_numbers, expected, rtol=5e-4)  # four significant digits
    saved = json.loads(base64.b64decode(re.search(r'download="probabilities.json" href="[^,]*,([^"]+)"', shown)[1]))
    np.testing.assert_allclose([row["probability"] for row in saved], expected, rtol=0, atol=1e-5)


def test_the_pixels_of_a_digit_of_the_right_size_are_kept(digit):
    assert np.array_equal(seen_pixels(prepare(open_picture(as_picture(digit)), "digits")), digit)


def test_the_digit_is_found_only_where_that_is_asked_for(digit):
    paper = open_picture(as_picture(255 - digit))
    assert np.array_equal(seen_pixels(prepare(paper, "digits")), digit)
    assert np.array_equal(seen_pixels(prepare(paper, digit_form="any")), 255 - digit)


def test_a_drawing_in_a_corner_of_the_board_is_brought_to_the_middle(app):
    board = Image.new("L", (140, 140))
    ImageDraw.Draw(board).line([20, 15, 20, 60], fill=255, width=12)  # a small 1, as draw.js draws it
    drawing = as_picture(np.asarray(board))
    levels = seen_pixels(prepare(open_picture(drawing), "mnist"))
    rows, columns = np.nonzero(levels > 127)
    assert np.ptp(rows) + 1 in (19, 20)
    assert abs(columns.mean() - 14) <= 0.5
    assert "paper was taken off" in show_all(app, drawing)[0]
    assert "paper was taken off" not in show_all(app, drawing, find=False)[0]


def test_an_empty_board_is_said_to_be_empty(app, digit):
    seen, *rest = show_all(app, png())
    assert "The picture is empty" in seen
    assert not any(rest)
    assert "vazia" in show_all(app, png(), lang="pt-BR")[0]
    assert "empty" not in show_all(app, as_picture(digit))[0]
    with pytest.raises(UserError, match="The picture is empty"):
        answers.classify_digit(app, png(), "mlp")


def test_two_digits_on_the_board_are_said_to_be_two(app):
    board = np.zeros((140, 140), np.uint8)
    board[30:110, 30:42] = board[30:110, 90:102] = 255  # 11
    seen, *rest = show_all(app, as_picture(board))
    assert "2 separate figures" in seen
    assert not any(rest)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_any_mode_is_read(mode):
    assert prepare(open_picture(png(mode)), digit_form="any").shape == (1, 1, 28, 28)


def test_a_data_uri_is_read(digit):
    assert open_picture("data:image/png;base64," + as_picture(digit)).size == (28, 28)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ("", "not a PNG"),
        ("${window.__x=1}", "not a PNG"),
        ("é" * 10, "not a PNG"),
        (base64.b64encode(b"GIF89a" + bytes(100)).decode(), "not a PNG"),
        (png()[:60], "not a PNG|damaged"),
        ("A" * (MOST_CHARACTERS + 4), "characters"),
        (png("1", (MOST_PIXELS + 1, 1)), "pixels"),
        (png("1", (30_000, 30_000)), "characters|pixels|not a PNG"),
    ],
)
def test_a_hostile_picture_is_refused(app, picture, said):
    with pytest.raises(UserError, match=said):
        answers.classify_digit(app, picture, "mlp")
    seen, *rest = show_all(app, picture)
    assert re.search(said, seen)
    assert "<img" not in seen
    assert not any(rest)


def test_a_truncated_png_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (140, 140), dtype=np.uint8)
    file = base64.b64decode(as_picture(noise))
    for length in (8, 40, len(file) // 2, len(file) * 9 // 10):
        with pytest.raises(UserError, match=r"not a PNG|damaged"):
            open_picture(base64.b64encode(file[:length]).decode())
    with pytest.raises(UserError) as refused:
        open_picture(base64.b64encode(file[: len(file) // 2]).decode())
    assert "danificado" in refused.value.in_language("pt-BR")


def test_only_models_on_the_list_answer(app, digit):
    with pytest.raises(UserError, match="no model"):
        answers.classify_digit(app, as_picture(digit), "../../etc")


def test_each_side_begins_with_its_own_kind(app):
    assert answers.classifiers(app, "mlp") == ["mlp", "lenet"]
    assert answers.classifiers(app, "lenet") == ["lenet", "mlp"]


def test_without_a_lenet_its_side_begins_with_another_mlp(app, monkeypatch):
    for names, on_the_right in ((["new", "old"], ["old", "new"]), (["only"], ["only"]), ([], [])):
        monkeypatch.setattr(app.library, "image_classifiers", lambda names=names: list(names))
        monkeypatch.setattr(answers, "_kind", lambda app, name: "mlp")
        assert answers.classifiers(app, "mlp") == names
        assert answers.classifiers(app, "lenet") == on_the_right


def test_activations_are_the_models_own(app, digit):
    pixel_values = prepare(open_picture(as_picture(digit)), "digits")
    answer = classify(app.library.image_classifier("lenet"), pixel_values)
    assert {name: values.shape for name, values in answer.layers.items()} == {
        "C1": (6, 28, 28), "S2": (6, 14, 14), "C3": (16, 10, 10), "S4": (16, 5, 5), "C5": (120,), "F6": (84,),
    }  # fmt: skip
    mlp = app.library.image_classifier("mlp")
    answer = classify(mlp, pixel_values)
    (first, units), second = next(iter(answer.layers.items())), answer.layers["2"]
    assert (first, units.shape, second.shape) == ("1", (16,), (16,))
    unit, weights = next(iter(answer.templates.items()))
    assert units[unit] == units.max()
    bias = mlp.layers[0][0].bias[unit].item()
    assert units[unit] == pytest.approx(float((pixel_values[0, 0].numpy() * weights).sum()) + bias, abs=1e-4)


def test_the_cell_written_out_is_the_cell_of_the_map(app, digit):
    model = app.library.image_classifier("lenet")
    pixel_values = prepare(open_picture(as_picture(digit)), "digits")
    shown = written_out("lenet", model, pixel_values, 2, 12, 14, "en")
    with torch.no_grad():
        c1, s2 = model(pixel_values=pixel_values, output_hidden_states=True).hidden_states[:2]
    output = float(re.search(r"After the activation \(relu\): ([^ ]*)\.", shown)[1])
    pooled = float(re.search(r"At row 6, column 7 .*: ([^ ]*)\.</p>", shown)[1])
    assert output == pytest.approx(c1[0, 2, 12, 14].item(), abs=1e-4)
    assert pooled == pytest.approx(s2[0, 2, 6, 7].item(), abs=1e-4)
    assert shown.count('data-choose="') == 28 * 28


@pytest.mark.parametrize("choice", ["28,0", "-1,0", "a,b", "", "None"])
def test_a_cell_that_is_none_is_refused(app, choice):
    with pytest.raises(UserError):
        answers.choose_cell(app, choice=choice, lang="en")
    assert answers.choose_cell(app, choice="3,27", lang="en") == (3, 27)


def test_without_a_lenet_the_convolution_says_so(app, digit):
    *_, cell = show_all(app, as_picture(digit), right="mlp", lang="pt-BR")
    assert "LeNet" in cell
    assert "<table" not in cell


def test_without_a_model_the_page_says_what_to_do(app, digit):
    seen, left, right, call, _ = show_all(app, as_picture(digit), left=None, right=None)
    assert "<img" in seen
    assert "make mnist" in left
    assert left == right
    assert call == ""


def test_an_example_is_the_test_sets(app, digit):
    drawing, board, _ = answers.choose_example(app, choice="digits 2", lang="en")
    assert np.array_equal(np.asarray(open_picture(drawing)), digit)
    assert drawing in board
    for choice in ("digits 10", "../etc 1", "None"):
        with pytest.raises(UserError):
            answers.choose_example(app, choice=choice, lang="en")
    assert answers.show_examples(app, lang="en").count('data-choose="digits ') == 10


def test_examples_of_mnist_are_offered_where_it_lies(app):
    if "mnist" not in sources():
        pytest.skip("mnist is not on this machine")
    images, labels = digits_of("mnist")
    assert len(images) == 10_000
    assert np.array_equal(examples("mnist")[7], images[np.argmax(labels == 7)])
    assert 'data-choose="mnist 7"' in answers.show_examples(app, lang="pt-BR")


def test_the_presets_are_what_they_say(app, digit):
    centred, *others = (answers.choose_preset(app, name=name, left="mlp", lang="en") for name in page.PRESETS)
    assert centred[:2] == (as_picture(digit), True)
    moved, _ = preset_picture("shifted", "digits")
    assert np.array_equal(np.asarray(open_picture(moved))[:, :-4], digit[:, 4:])
    assert preset_picture("paper", "digits") == (as_picture(255 - digit), False)
    assert open_picture(preset_picture("face", "digits")[0]).size == (140, 140)
    assert len({why for *_, why in (centred, *others)}) == len(page.PRESETS)


def test_a_shift_lets_black_in():
    row = np.array([[1, 2, 3]])
    assert [shifted(row, by).tolist() for by in (0, 1, -1)] == [[[1, 2, 3]], [[0, 1, 2]], [[2, 3, 0]]]


def test_accuracy_by_shift_begins_with_the_accuracy(app):
    model = app.library.image_classifier("lenet")
    images, labels = (part[:200] for part in digits_of("digits"))
    with torch.no_grad():
        right = model(pixel_values=prepare(list(images), digit_form="any")).logits.argmax(-1).numpy() == labels
    assert accuracy(model, images, labels) == right.mean()
    shown = answers.show_shifts(app, left="mlp", right="lenet", lang="en")
    assert "<polyline" in shown
    encoded = re.search(r'download="accuracy-by-shift.json" href="[^,]*,([^"]+)"', shown)[1]
    rows = json.loads(base64.b64decode(encoded))
    assert [row["pixels"] for row in rows] == list(answers.SHIFTS)
    assert rows[0]["lenet"] == right.mean()
    assert rows[2]["lenet"] == accuracy(model, shifted(images, -2), labels)


def test_the_board_holds_text_only_as_text(app):
    hostile = '"><img src=x onerror=alert(1)>'
    assert "<img" not in views.board(hostile, "en")
    begun, _ = answers.begin(app, drawing=hostile, left="mlp", lang="en")
    assert begun == hostile  # the message about it comes with the answers


@pytest.mark.parametrize("size", SIZES)
def test_the_studys_curves_are_the_committed_ones(app, size):
    shown = answers.show_study(app, size=size, curve="loss", lang="pt-BR")
    rows = [row for row in committed("results", "dropout-study").rows("test") if row["size"] == size]
    dropouts = {row["dropout"] for row in rows}
    assert shown.count("<polyline") == 2 * (2 * len(dropouts) + 1)  # a curve and its sample in the legend
    saved = json.loads(base64.b64decode(re.search(r'download="dropout-test.json" href="[^,]*,([^"]+)"', shown)[1]))
    for row in saved:
        accuracies = [each["test_accuracy"] for each in rows if each["dropout"] == row["dropout"]]
        assert row["test_accuracy"] == pytest.approx(sum(accuracies) / len(accuracies))
    assert "discuss.py dropout-study" in shown


def test_without_the_study_the_page_says_how_to_make_it(app, tmp_path, monkeypatch):
    monkeypatch.setattr(app.config, "results", str(tmp_path))
    for files in ([], ["result.json"]):  # without its tables there is nothing to draw
        for file in files:
            (tmp_path / "dropout-study").mkdir()
            shutil.copy(f"results/dropout-study/{file}", tmp_path / "dropout-study")
        assert "hf-llm discuss dropout-study" in answers.show_study(app, size="few", curve="loss", lang="en")


class Started:
    """The app's trainings, noting what would be started."""

    def __init__(self, config):
        self.config, self.trainings, self.command = config, self, None
        self.name = "page/mlp-1"

    def start(self, kind, command, owner):
        self.command = command
        return self


def test_the_training_is_the_projects_own_script(app):
    from hf_llm.config import parse
    from hf_llm.recipes.classifier_config import ClassifierConfig

    started = Started(app.config)
    for name, settings in PRESETS.items():
        assert answers.start(started, **dict(zip(SETTINGS, settings)), owner="a", lang="en") == ("page/mlp-1", "a")
        assert answers.choose_training(app, name=name, lang="en")[1:] == [*settings]
        name, *flags = started.command
        assert name == "train_mnist"
        config = parse(ClassifierConfig, flags)
        assert (config.model, config.data, config.max_steps, config.learning_rate) == settings[:4]
        assert config.train_images == (settings[5] or None)


@pytest.mark.parametrize(
    "settings",
    [
        ("resnet", "digits", 100, 0.1, 0, 0), ("mlp", "/etc", 100, 0.1, 0, 0),
        ("mlp", "digits", 10, 0.1, 0, 0), ("mlp", "digits", 10**6, 0.1, 0, 0),
        ("mlp", "digits", 100, 0, 0, 0), ("mlp", "digits", 100, float("nan"), 0, 0),
        ("mlp", "digits", 100, 0.1, 1, 0), ("mlp", "digits", 100, 0.1, 0, -1),
        ("mlp", "digits", None, None, None, None),
    ],
)  # fmt: skip
def test_an_impossible_training_is_refused(app, settings):
    started = Started(app.config)
    with pytest.raises(UserError, match="not possible here"):
        answers.start(started, **dict(zip(SETTINGS, settings)), owner="", lang="en")
    with pytest.raises(UserError, match="not possible here"):
        training_command(app, **dict(zip(SETTINGS, settings)))
    assert started.command is None


class Finished:
    name, state, seconds, place = "page/mlp-1", "finished", 3.0, (2, 3)

    def __init__(self, folder):
        self.folder = folder

    def records(self):
        return [{"step": 1, "loss": 2.0}, {"step": 2, "loss": float("nan"), "validation_loss": 1.5}]

    def shown_command(self):
        return "hf-llm train_mnist"

    def error(self):
        return "the loss is <not> a number"


def test_a_training_is_shown_in_every_state(runs):
    training = Finished(runs / "mlp")
    assert "page/mlp-1" in views.training(training, "en")
    assert "<polyline" in views.training(training, "en")
    training.state = "failed"
    assert "&lt;not&gt;" in views.training(training, "pt-BR")
    for state in ("running", "paused", "stopped"):
        training.state = state
        assert "3 s" in views.training(training, "pt-BR")
    training.state = "waiting"
    assert "number 2 of 3" in views.training(training, "en")
    assert "polyline" not in views.training(None, "en")


def test_a_training_goes_on_to_be_watched_after_a_reload_and_only_its_browser_stops_it(tmp_path, monkeypatch):
    trainings = Trainings(tmp_path, at_once=0, seconds=60)  # it waits, and none can start
    own = App(AppConfig(runs=str(tmp_path)), Library(tmp_path, []), trainings, ("mnist",))
    run, owner = answers.start(own, **dict(zip(SETTINGS, PRESETS["sound"])), owner="", lang="en")
    shown, timer, *_ = answers.look_again(own, run=run, lang="en")
    assert "number 1 of 1" in shown
    assert timer.active is True
    assert "number 1 of 1" in answers.stop(own, run=run, owner="another", lang="en")
    assert "Stopped" in answers.stop(own, run=run, owner=owner, lang="en")
    assert "value" not in answers.look_again(own, run=run, lang="en")[0]


def kinds(app, left: str | None, right: str | None) -> tuple[str, bool, bool]:
    """Return what is said of the two sides, and whether the button and the sliders are shown."""
    said, lenet, sliders = answers.show_kinds(app, left=left, right=right, lang="en")
    return said, lenet["visible"], sliders["visible"]


def test_where_only_mlps_are_the_page_says_so_and_a_lenet_is_trained_by_a_button(app, runs, tmp_path):
    assert kinds(app, "mlp", "lenet") == ("", False, True)
    said, lenet, sliders = kinds(app, "mlp", "mlp")
    assert "Choose another" in said
    assert (lenet, sliders) == (False, False)

    shutil.copytree(runs / "mlp", tmp_path / "mlp")
    trainings = Trainings(tmp_path, at_once=0, seconds=60)
    own = App(AppConfig(runs=str(tmp_path)), Library(tmp_path, []), trainings, ("mnist",))
    said, lenet, sliders = kinds(own, "mlp", "mlp")
    assert "only one kind here" in said
    assert (lenet, sliders) == (True, False)
    assert kinds(own, None, None) == ("", True, False)
    run, owner = answers.start_lenet(own, owner="", lang="en")
    shown, timer, _, _, state = answers.look(own, run=run, lang="en")
    assert "mnist/lenet" in shown
    assert "number 1 of 1" in state
    assert timer.active is True

    answers.stop(own, run=run, owner=owner, lang="en")
    shutil.copytree(runs / "lenet", tmp_path / run, dirs_exist_ok=True)  # as if it had been trained
    _, _, left, right, state = answers.look(own, run=run, lang="en")
    assert (left.get("value"), right["value"], right["choices"][0]) == (None, run, run)
    assert "Done" in state
    assert kinds(own, "mlp", run) == ("", False, True)
