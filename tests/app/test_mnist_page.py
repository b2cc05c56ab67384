"""The MNIST page's functions: answers are the models' own, hostile pictures meet a sentence, every number is real."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from hf_llm.app.config import AppConfig
from hf_llm.app.pages.mnist import page
from hf_llm.app.pages.mnist.answers import accuracy_by_shift, ask, prepare, seen_pixels
from hf_llm.app.pages.mnist.board import begin, choose_example, choose_preset, show_board, show_examples
from hf_llm.app.pages.mnist.cell import show_cell
from hf_llm.app.pages.mnist.models import classifiers
from hf_llm.app.pages.mnist.pictures import (
    MOST_CHARACTERS,
    MOST_PIXELS,
    as_picture,
    examples,
    open_picture,
    preset,
    shifted,
    sources,
)
from hf_llm.app.pages.mnist.pictures import (
    test_images as digits_of,
)
from hf_llm.app.pages.mnist.study import SIZES, show_study
from hf_llm.app.pages.mnist.training import PRESETS, show, start
from hf_llm.config import UserError


class Chosen:
    """What gradio hands over when something in a view is pressed."""

    def __init__(self, choice):
        self.choice = choice


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
    given = page.endpoints(app)["classify_digit"](as_picture(digit), name)
    assert list(given) == [str(label) for label in range(10)]
    np.testing.assert_allclose(list(given.values()), expected, rtol=0, atol=1e-5)
    shown = page.show_all(app, as_picture(digit), True, name, name, 0, 12, 14, "en")[1]
    numbers = re.findall(r'<th scope="row"><bdi>\d</bdi></th><td>.*?</td><td>(.*?)</td>', shown)
    np.testing.assert_allclose([float(number) for number in numbers], expected, rtol=0, atol=1e-5)


def test_the_pixels_of_a_digit_of_the_right_size_are_kept(digit):
    assert np.array_equal(seen_pixels(prepare(open_picture(as_picture(digit)))), digit)


def test_light_paper_is_inverted_only_where_that_is_asked_for(digit):
    paper = open_picture(as_picture(255 - digit))
    assert np.array_equal(seen_pixels(prepare(paper, invert=True)), digit)
    assert np.array_equal(seen_pixels(prepare(paper, invert=False)), 255 - digit)


def test_an_empty_board_is_said_to_be_empty(app, digit):
    assert "empty" in page.show_all(app, png(), True, "mlp", "lenet", 0, 0, 0, "en")[0]
    assert "empty" not in page.show_all(app, as_picture(digit), True, "mlp", "lenet", 0, 0, 0, "en")[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_any_mode_is_read(mode):
    assert prepare(open_picture(png(mode))).shape == (1, 1, 28, 28)


def test_a_data_uri_is_read(digit):
    assert open_picture("data:image/png;base64," + as_picture(digit)).size == (28, 28)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        ("", "no PNG"),
        ("${window.__x=1}", "no PNG"),
        ("é" * 10, "no PNG"),
        (base64.b64encode(b"GIF89a" + bytes(100)).decode(), "no PNG"),
        (png()[:60], "no PNG|damaged"),
        ("A" * (MOST_CHARACTERS + 4), "characters"),
        (png("1", (MOST_PIXELS + 1, 1)), "pixels"),
        (png("1", (30_000, 30_000)), "characters|pixels|no PNG"),
    ],
)
def test_a_hostile_picture_meets_a_sentence(app, picture, sentence):
    with pytest.raises(UserError, match=sentence):
        page.endpoints(app)["classify_digit"](picture, "mlp")
    seen, *rest = page.show_all(app, picture, True, "mlp", "lenet", 0, 12, 14, "en")
    assert re.search(sentence, seen)
    assert "<img" not in seen
    assert not any(rest)


def test_a_truncated_png_meets_a_sentence():
    noise = np.random.default_rng(0).integers(0, 256, (140, 140), dtype=np.uint8)
    file = base64.b64decode(as_picture(noise))
    for length in (8, 40, len(file) // 2, len(file) * 9 // 10):
        with pytest.raises(UserError, match=r"no PNG|damaged"):
            open_picture(base64.b64encode(file[:length]).decode())
    with pytest.raises(UserError, match="danificado"):
        open_picture(base64.b64encode(file[: len(file) // 2]).decode(), "pt-BR")


def test_only_models_on_the_list_answer(app, digit):
    with pytest.raises(UserError, match="no model"):
        page.endpoints(app)["classify_digit"](as_picture(digit), "../../etc")


def test_each_side_begins_with_its_own_kind(app):
    assert classifiers(app, "mlp") == ["mlp", "lenet"]
    assert classifiers(app, "lenet") == ["lenet", "mlp"]


def test_activations_are_the_models_own(app, digit):
    pixel_values = prepare(open_picture(as_picture(digit)))
    answer = ask(app.library.image_classifier("lenet"), pixel_values)
    assert {name: values.shape for name, values in answer.layers.items()} == {
        "C1": (6, 28, 28), "S2": (6, 14, 14), "C3": (16, 10, 10), "S4": (16, 5, 5), "C5": (120,), "F6": (84,),
    }  # fmt: skip
    mlp = app.library.image_classifier("mlp")
    answer = ask(mlp, pixel_values)
    (first, units), second = next(iter(answer.layers.items())), answer.layers["2"]
    assert (first, units.shape, second.shape) == ("1", (16,), (16,))
    unit, weights = next(iter(answer.templates.items()))
    assert units[unit] == units.max()
    bias = mlp.layers[0][0].bias[unit].item()
    assert units[unit] == pytest.approx(float((pixel_values[0, 0].numpy() * weights).sum()) + bias, abs=1e-4)


def test_the_cell_written_out_is_the_cell_of_the_map(app, digit):
    model = app.library.image_classifier("lenet")
    pixel_values = prepare(open_picture(as_picture(digit)))
    shown = show_cell("lenet", model, pixel_values, 2, 12, 14, "en")
    with torch.no_grad():
        c1, s2 = model(pixel_values=pixel_values, output_hidden_states=True).hidden_states[:2]
    output = float(re.search(r"After the activation \(relu\): ([^ ]*)\.", shown)[1])
    pooled = float(re.search(r"Pooling at row 6, column 7 .*: ([^ ]*)\.</p>", shown)[1])
    assert output == pytest.approx(c1[0, 2, 12, 14].item(), abs=1e-4)
    assert pooled == pytest.approx(s2[0, 2, 6, 7].item(), abs=1e-4)
    assert shown.count('data-choose="') == 28 * 28


@pytest.mark.parametrize("choice", ["28,0", "-1,0", "a,b", "", None])
def test_a_cell_that_is_none_is_refused(choice):
    with pytest.raises(UserError):
        page.choose_cell(Chosen(choice), "en")
    assert page.choose_cell(Chosen("3,27"), "en") == (3, 27)


def test_without_a_lenet_the_convolution_says_so(app, digit):
    *_, cell = page.show_all(app, as_picture(digit), True, "mlp", "mlp", 0, 0, 0, "pt-BR")
    assert "LeNet" in cell
    assert "<table" not in cell


def test_without_a_model_the_page_says_what_to_do(app, digit):
    seen, left, right, call, _ = page.show_all(app, as_picture(digit), True, None, None, 0, 0, 0, "en")
    assert "<img" in seen
    assert "make mnist" in left
    assert left == right
    assert call == ""


def test_an_example_is_the_test_sets(digit):
    drawing, board, _ = choose_example(Chosen("digits 2"), "en")
    assert np.array_equal(np.asarray(open_picture(drawing)), digit)
    assert drawing in board
    for choice in ("digits 10", "../etc 1", None):
        with pytest.raises(UserError):
            choose_example(Chosen(choice), "en")
    assert show_examples("en").count('data-choose="digits ') == 10


def test_examples_of_mnist_are_offered_where_it_lies():
    if "mnist" not in sources():
        pytest.skip("mnist is not on this machine")
    images, labels = digits_of("mnist")
    assert len(images) == 10_000
    assert np.array_equal(examples("mnist")[7], images[np.argmax(labels == 7)])
    assert 'data-choose="mnist 7"' in show_examples("pt-BR")


def test_the_presets_are_what_they_say(app, digit):
    assert choose_preset(app, "centred", "mlp", "en")[:2] == (as_picture(digit), True)
    moved, _ = preset("shifted", "digits")
    assert np.array_equal(np.asarray(open_picture(moved))[:, :-4], digit[:, 4:])
    assert preset("paper", "digits") == (as_picture(255 - digit), False)
    assert open_picture(preset("face", "digits")[0]).size == (140, 140)
    reasons = {choose_preset(app, name, "mlp", "en")[3] for name in page.PRESETS}
    assert len(reasons) == len(page.PRESETS)


def test_a_shift_lets_black_in():
    row = np.array([[1, 2, 3]])
    assert [shifted(row, by).tolist() for by in (0, 1, -1)] == [[[1, 2, 3]], [[0, 1, 2]], [[2, 3, 0]]]


def test_accuracy_by_shift_begins_with_the_accuracy(app):
    model = app.library.image_classifier("lenet")
    shares = accuracy_by_shift(model, "digits")
    images, labels = (part[:200] for part in digits_of("digits"))
    with torch.no_grad():
        right = model(pixel_values=prepare(list(images))).logits.argmax(-1).numpy() == labels
    assert shares[0] == right.mean()
    assert "<polyline" in page.show_shifts(app, "mlp", "lenet", "en")


def test_the_board_holds_text_only_as_text(app):
    hostile = '"><img src=x onerror=alert(1)>'
    assert "<img" not in show_board(hostile, "en")
    assert begin(app, hostile, "mlp", "en")[0] == hostile  # the sentence about it comes with the answers


@pytest.mark.parametrize("size", SIZES)
def test_the_studys_curves_are_the_committed_ones(app, size):
    shown = show_study(app, size, "loss", "pt-BR")
    assert shown.count("<polyline") == 2 * 8 + 2 * 3  # a curve and its sample in the legend
    assert "dropout_study.py" in shown


def test_without_the_study_the_page_says_how_to_make_it(app, tmp_path):
    class Elsewhere:
        config = AppConfig(results=str(tmp_path))

    assert "dropout_study.py" in show_study(Elsewhere, "few", "loss", "en")


class Started:
    """The app's trainings, noting what would be started."""

    def __init__(self, config):
        self.config, self.trainings, self.command = config, self, None
        self.name = "page/mlp-1"

    def start(self, kind, command, lang):
        self.command = command
        return self


def test_the_training_is_the_projects_own_script(app):
    from hf_llm.config import parse
    from hf_llm.recipes.classifier_config import ClassifierConfig

    started = Started(app.config)
    for settings in PRESETS.values():
        assert start(started, *settings, "en") == "page/mlp-1"
        script, *flags = started.command
        assert script == "scripts/train_mnist.py"
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
    with pytest.raises(UserError, match="cannot be here"):
        start(started, *settings, "en")
    assert started.command is None


class Finished:
    name, state, seconds = "page/mlp-1", "finished", 3.0

    def __init__(self, folder):
        self.folder = folder

    def records(self):
        return [{"step": 1, "loss": 2.0}, {"step": 2, "loss": float("nan"), "validation_loss": 1.5}]

    def shown_command(self):
        return "python scripts/train_mnist.py"

    def last_words(self):
        return "the loss is <not> a number"


def test_a_training_is_shown_in_every_state(runs):
    training = Finished(runs / "mlp")
    assert "page/mlp-1" in show(training, "en")
    assert "<polyline" in show(training, "en")
    training.state = "failed"
    assert "&lt;not&gt;" in show(training, "pt-BR")
    for state in ("running", "paused", "stopped"):
        training.state = state
        assert "3 s" in show(training, "pt-BR")
    assert "polyline" not in show(None, "en")
