"""The processor of grey digits: MNIST as it is, and pictures of other sizes and modes as a person expects."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from hf_llm.data.digits import read_digits
from hf_llm.models.image_processing_digits import DigitsImageProcessor

MEAN, STD = 0.1307, 0.3081


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Sixty-four digits, white on black, uint8 (64, 28, 28)."""
    return read_digits()[0][0][:64]


def processed(images, digit_form="digits", **settings) -> torch.Tensor:
    return DigitsImageProcessor(digit_form=digit_form, **settings)(images, return_tensors="pt").pixel_values


def grey_levels(pixel_values: torch.Tensor) -> np.ndarray:
    """Undo the normalisation of one image: uint8 (28, 28)."""
    return np.rint((pixel_values[0, 0].numpy() * STD + MEAN) * 255).astype(np.uint8)


def test_a_training_s_own_digits_are_normalised_and_otherwise_left_alone(digits):
    expected = (torch.from_numpy(digits).float() / 255 - MEAN) / STD  # as a training computes it
    assert torch.equal(processed([Image.fromarray(image) for image in digits]), expected[:, None])


def test_without_looking_for_a_digit_every_grey_is_left_alone():
    every_grey = np.zeros((28, 28), np.uint8)
    every_grey[4:20, 4:20] = np.arange(256).reshape(16, 16)
    assert np.array_equal(grey_levels(processed(every_grey, digit_form="any")), every_grey)


def test_what_pipeline_makes_of_a_file_is_the_same(digits):
    grey = [Image.fromarray(image) for image in digits]
    assert torch.equal(processed([image.convert("RGB") for image in grey]), processed(grey))


def test_dark_on_white_is_inverted_where_the_digit_is_looked_for(digits):
    scans = [Image.fromarray(255 - image) for image in digits]
    assert torch.equal(processed(scans), processed([Image.fromarray(image) for image in digits]))
    assert np.array_equal(grey_levels(processed(scans[0], digit_form="any")), 255 - digits[0])


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Return a grey image in another mode, without changing what it shows."""
    sixteen_bits = np.asarray(image).astype(np.uint16) * 257
    match mode:
        case "I;16":
            return Image.fromarray(sixteen_bits)
        case "I;16B":
            return Image.frombytes(mode, image.size, sixteen_bits.astype(">u2").tobytes())
        case "16 bits in I":
            return Image.fromarray(sixteen_bits.astype(np.int32))
        case "PA" | "HSV" | "La" | "RGBa":
            return image.convert({"PA": "P", "HSV": "RGB", "La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
        case "LAB":
            srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
            return ImageCms.profileToProfile(image.convert("RGB"), srgb, lab, outputMode="LAB")
    return image.convert(mode)


@pytest.mark.parametrize(
    "mode",
    ["LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16", "I;16B", "F",
     "16 bits in I"],
)  # fmt: skip
def test_any_mode_of_pil(digits, mode):
    image = Image.fromarray(digits[0])
    tolerance = 1 if mode == "LAB" else 0  # which rounds on the way
    levels = [grey_levels(processed(picture)).astype(int) for picture in (in_mode(image, mode), image)]
    assert np.abs(levels[0] - levels[1]).max() <= tolerance


def test_one_bit_images(digits):
    black_and_white = Image.fromarray(digits[0] > 127)
    assert black_and_white.mode == "1"
    assert np.array_equal(grey_levels(processed(black_and_white)), np.where(digits[0] > 127, 255, 0))


@pytest.mark.parametrize(
    "convert",
    [
        lambda g: g,
        lambda g: g[None],
        lambda g: g[..., None],
        lambda g: np.repeat(g[..., None], 3, axis=-1),
        lambda g: np.repeat(g[None], 3, axis=0),
        lambda g: np.dstack([g, g, g, np.full_like(g, 255)]),
        lambda g: g / 255,
        lambda g: g.astype(np.float32),
        lambda g: g.astype(np.int64),
        lambda g: g.astype(np.uint16) * 257,
        lambda g: torch.from_numpy(g.copy()),
        lambda g: [g],
    ],
    ids=["HW", "1HW", "HW1", "HW3", "3HW", "HW4", "0-to-1", "0-to-255", "int64", "uint16", "tensor", "list"],
)
def test_any_usual_array(digits, convert):
    assert torch.equal(processed(convert(digits[0])), processed(Image.fromarray(digits[0])))


@pytest.mark.parametrize(
    "pixels",
    [np.full((28, 28), np.nan), np.full((28, 28), -1), np.full((28, 28), 256), np.zeros((0, 28), np.uint8)],
    ids=["NaN", "negative", "too-large", "empty"],
)
def test_other_numbers_are_refused_in_one_sentence(pixels):
    with pytest.raises(ValueError, match=r"^(pixels must lie between|the image has no pixels)") as error:
        processed(pixels)
    assert "\n" not in str(error.value)


def test_what_is_no_digit_is_fitted_without_squashing_and_filled_with_its_background():
    photo = np.full((100, 400), 55, np.uint8)  # four times as wide as high
    photo[:, 180:220] = 235  # a stroke from top to bottom
    levels = grey_levels(processed(Image.fromarray(photo), digit_form="any"))
    assert np.array_equal(levels[:10], np.full((10, 28), 55))  # above
    assert np.array_equal(levels[18:], np.full((10, 28), 55))  # and below
    stroke = levels[14] > 145
    assert stroke[13:15].all()
    assert stroke.sum() <= 4  # 40 of 400 pixels are 2.8 of 28


def test_a_very_long_strip_takes_no_memory_for_its_square():
    assert processed(Image.new("L", (60_000, 1)), digit_form="any").shape == (1, 1, 28, 28)


@pytest.mark.parametrize("pen", [(0, 0, 0), (255, 255, 255), (20, 40, 160)])
def test_what_is_transparent_is_paper_whatever_the_pen(digits, pen):
    alpha = Image.fromarray(digits[0])  # as opaque as the digit is bright
    drawing = Image.new("RGBA", (28, 28), (*pen, 0))
    drawing.putalpha(alpha)
    assert torch.equal(processed(drawing), processed(alpha))


def test_a_picture_with_transparent_corners_lies_on_white(digits):
    scan = Image.fromarray(255 - digits[0]).convert("RGBA")
    scan.putalpha(Image.fromarray(np.where(digits[0] | (np.indices((28, 28)).min(0) > 0), 255, 0).astype(np.uint8)))
    assert torch.equal(processed(scan), processed(digits[0]))


def test_a_photo_is_turned_upright(digits):
    sideways = Image.fromarray(np.rot90(digits[0]))  # turned to the left; 6: turn right to see it upright
    sideways.getexif()[0x0112] = 6
    assert torch.equal(processed(sideways), processed(Image.fromarray(digits[0])))


def test_another_form_is_refused_in_one_sentence(digits):
    with pytest.raises(ValueError, match=r"^digit_form must be one of mnist, digits, any, not 'mnits'$"):
        processed(digits[0], "mnits")


def test_settings_are_saved_and_loaded(tmp_path):
    DigitsImageProcessor(digit_form="any", image_mean=[0.5]).save_pretrained(tmp_path)
    loaded = DigitsImageProcessor.from_pretrained(tmp_path)
    assert (loaded.digit_form, list(loaded.image_mean), list(loaded.image_std)) == ("any", [0.5], [STD])
