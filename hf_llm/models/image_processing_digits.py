"""Any picture of one digit to the grey 28×28 pixels that a model trained on MNIST expects.

A photo or a scan of handwriting is dark on light, of any size, unevenly lit, and its digit is anywhere. MNIST's are
white on black, 20 pixels long, centred. So the ink is found (digit_ink.py) and brought to that form (digit_form.py).
Pixels that have the form are left as they are, to the last bit.

>>> from PIL import Image, ImageDraw
>>> scan = Image.new("RGB", (300, 200), "white")
>>> ImageDraw.Draw(scan).line([40, 30, 40, 130], fill="navy", width=9)  # a 1, in a corner
>>> pixels = DigitsImageProcessor()(scan, return_tensors="np").pixel_values
>>> pixels.shape, (pixels[0, 0].max(axis=1) > 1).sum().item()  # rows with ink
((1, 1, 28, 28), 20)
"""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import ChannelDimension, PILImageResampling, SizeDict, infer_channel_dimension_format
from transformers.processing_utils import ImagesKwargs

from .digit_form import FORMS, in_form, to_form
from .digit_ink import find_ink

if TYPE_CHECKING:  # saving a processor copies what it imports from its own folder: so the pipeline travels along
    from .pipeline_digits import DigitsPipeline  # noqa: F401


class DigitsImageProcessorKwargs(ImagesKwargs, total=False):
    """digit_form (`str`): see `DigitsImageProcessor`."""

    digit_form: str | None


class DigitsImageProcessor(PilBackend):
    """Grey, the digit found and brought to MNIST's form, normalised: (B, 1, 28, 28).

    Takes PIL images of any mode and size, and arrays or tensors of shape (H, W), (H, W, C) or (C, H, W), with numbers
    0 to 255 (integers), 0 to 65,535 (uint16) or 0 to 1 (floating point). What is transparent is white paper, or, where
    all that is opaque has one colour, whatever that colour stands out from.

    Args:
        digit_form: The form that the training's digits have, to which the digit in a picture is brought: "mnist", or
            "digits", scikit-learn's. "any" for a model of other images than digits: pictures are then made grey and
            fitted into the 28×28 pixels, nothing more.
        image_mean, image_std: Mean and standard deviation of MNIST's training pixels.

    Raises:
        ValueError: When an array holds other numbers, an image has no pixels, or there is no such form. Of its kinds,
            `EmptyPicture`, when there is no ink, and `SeveralDigits`.
    """

    valid_kwargs = DigitsImageProcessorKwargs

    digit_form = "mnist"
    do_resize = True
    size = {"height": 28, "width": 28}  # noqa: RUF012 - transformers copies it
    resample = PILImageResampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = [0.1307]  # noqa: RUF012
    image_std = [0.3081]  # noqa: RUF012

    def _prepare_images_structure(self, images, expected_ndims: int = 3):
        """Give grey arrays (H, W) their channel; the rest is transformers' own."""
        listed = images if isinstance(images, list | tuple) else [images]
        if any(getattr(image, "ndim", None) == 2 for image in listed):
            images = [image[None] if getattr(image, "ndim", None) == 2 else image for image in listed]
        return super()._prepare_images_structure(images, expected_ndims=expected_ndims)

    def process_image(self, image, digit_form: str | None = None, input_data_format=None, **kwargs) -> np.ndarray:
        """Return one image as grey levels, uint8 (1, H, W); a digit that is looked for is (1, 28, 28)."""
        if not isinstance(image, Image.Image):
            image = _from_array(np.asarray(image), input_data_format)
        if min(image.size) == 0:
            raise ValueError("the image has no pixels; pass another one")
        grey = np.asarray(_to_grey(image))  # (H, W)
        if digit_form in FORMS:
            for digit in (grey, 255 - grey):
                if in_form(digit, digit_form):
                    return digit[None]
            grey = to_form(find_ink(grey), digit_form)
        elif digit_form != "any":
            raise ValueError(f"digit_form must be one of {', '.join([*FORMS, 'any'])}, not {digit_form!r}")
        return grey[None]

    def resize(self, image: np.ndarray, size: SizeDict, resample=None, **kwargs) -> np.ndarray:
        """Fit an image (1, H, W) into `size` without squashing it; what is left over is filled with its background."""
        grey = image[0]
        height, width = grey.shape
        scale = min(size.height / height, size.width / width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = Image.new("L", (size.width, size.height), int(_background(grey)))
        canvas.paste(
            Image.fromarray(grey).resize(inner, resample),
            ((size.width - inner[0]) // 2, (size.height - inner[1]) // 2),
        )
        return np.asarray(canvas)[None]


def _to_grey(image: Image.Image) -> Image.Image:
    """Return a PIL image of any mode in mode L, upright as its EXIF says, on paper where it is transparent."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):  # PIL would cut off all above 255
        return Image.fromarray(_to_bytes(np.asarray(image)))
    if image.mode in ("La", "LAB"):  # PIL converts each of them to one other mode only
        image = image.convert({"La": "LA", "LAB": "RGB"}[image.mode])
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
        ink = np.asarray(image.convert("RGB"))[alpha > 127]  # (pixels, 3)
        if len(ink) and alpha.min() < 128 and np.ptp(ink, axis=0).max() < 64:  # drawn with one colour
            return Image.fromarray(255 - alpha)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L")


def _from_array(pixels: np.ndarray, input_data_format: ChannelDimension | str | None) -> Image.Image:
    """Return pixels of shape (C, H, W) or (H, W, C), 1, 3 or 4 channels, as a PIL image."""
    layout = input_data_format or infer_channel_dimension_format(pixels, num_channels=(1, 3, 4))
    if layout == ChannelDimension.FIRST:
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = _to_bytes(pixels)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Return grey levels as uint8, 0 to 255, whatever scale they came in."""
    if pixels.size == 0 or pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    low, high = pixels.min(), pixels.max()
    sixteen_bits = pixels.dtype.kind == "u" and pixels.dtype.itemsize == 2
    if sixteen_bits or (pixels.dtype == np.int32 and high > 255):  # a scanner's, and PIL's mode I for it
        white = 65535
    elif pixels.dtype == bool or (pixels.dtype.kind == "f" and high <= 1):
        white = 1
    else:
        white = 255
    if not (low >= 0 and high <= white):  # NaN fails both
        raise ValueError(f"pixels must lie between 0 and 255, or 0 and 1, but these go from {low} to {high}")
    return np.rint(pixels * (255 / white)).astype(np.uint8)


def _background(grey: np.ndarray) -> float:
    """Return the median grey level of the outermost pixels of an image (H, W)."""
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


DigitsImageProcessor.register_for_auto_class()
