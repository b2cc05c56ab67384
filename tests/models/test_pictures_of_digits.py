"""Any picture of one digit, as people take them, is read by a model that was trained on MNIST's pixels alone."""

import numpy as np
import pytest
import torch
from conftest import files_or_skip
from digit_pictures import OTHERS, REPORTED, THIN, blanks, several
from PIL import Image
from transformers import AutoModelForImageClassification

from hf_llm.config import parse
from hf_llm.data.images import LabelledImages, read_images
from hf_llm.models.digit_form import in_form
from hf_llm.models.digit_ink import EmptyPicture, SeveralDigits
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig

DIGITS = 300  # the first of the test set
KINDS = {
    **{name: (make, 0.97) for name, make in REPORTED.items()},
    **{name: (make, 0.94) for name, make in THIN.items()},
    **{name: (make, 0.95) for name, make in OTHERS.items()},
}


@pytest.fixture(scope="module")
def mnist():
    files_or_skip("mnist")
    return read_images("mnist")


@pytest.fixture(scope="module")
def digits(mnist) -> LabelledImages:
    return mnist.test.select(slice(DIGITS))


@pytest.fixture(scope="module")
def model(mnist, tmp_path_factory):
    """The MLP of the committed recipe."""
    folder = tmp_path_factory.mktemp("mnist") / "mlp"
    train_classifier(parse(ClassifierConfig, ["--config", "mnist/mlp", "--output_dir", str(folder), "--threads", "1"]))
    return AutoModelForImageClassification.from_pretrained(folder).eval()


def pixel_values(image) -> torch.Tensor:
    """Return (1, 1, 28, 28)."""
    return DigitsImageProcessor()(image, return_tensors="pt").pixel_values


def accuracy(model, images: list, labels: np.ndarray) -> float:
    with torch.no_grad():
        answers = model(pixel_values=torch.cat([pixel_values(image) for image in images])).logits.argmax(-1).numpy()
    return float((answers == labels).mean())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_any_kind_is_read(model, digits, kind):
    make, least = KINDS[kind]
    random = np.random.default_rng(0)
    right = accuracy(model, [make(digit, random) for digit in digits.images], digits.labels)
    print(f"{kind}: {right:.1%}")
    assert right >= least


@pytest.mark.slow
def test_every_pixel_of_mnist_is_left_as_it_is(mnist):
    for part in (mnist.train, mnist.test):
        assert all(in_form(image) for image in part.images)
    images = mnist.test.images
    found = DigitsImageProcessor()([Image.fromarray(image) for image in images], return_tensors="pt").pixel_values
    assert torch.equal(found, DigitsImageProcessor(do_find_digit=False)(list(images), return_tensors="pt").pixel_values)
    assert torch.equal(found[:, 0], (torch.from_numpy(images).float() / 255 - 0.1307) / 0.3081)


def test_a_digit_that_was_moved_or_scaled_is_not_taken_for_mnists(digits):
    for digit in digits.images[:50]:
        assert in_form(digit)
        assert not in_form(np.roll(digit, 2, axis=1))
        assert not in_form(255 - digit)
        assert not in_form(np.maximum(digit, 1))  # a ground that is not black
        assert not in_form(digit.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("name", blanks(np.random.default_rng(0)))
def test_an_empty_picture_is_said_to_be_empty(name):
    with pytest.raises(EmptyPicture, match=r"^the picture is empty") as error:
        pixel_values(blanks(np.random.default_rng(0))[name])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_digits_are_said_to_be_several(digits, count, stacked):
    for start in range(0, 40, count):
        with pytest.raises(SeveralDigits, match=f"^the picture shows {count} figures") as error:
            pixel_values(several(list(digits.images[start : start + count]), 16, stacked))
    assert error.value.count == count
    assert "\n" not in str(error.value)
