"""The pictures of the MNIST page: a visitor's PNG, opened with care, example digits, and the presets.

A picture is the base64 text of a PNG, as the drawing board, a link and a call of the API hold it.
"""

import base64
import binascii
import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from hf_llm.app.views import image
from hf_llm.config import UserError, require
from hf_llm.texts import both

if TYPE_CHECKING:
    from PIL import Image

MOST_CHARACTERS = 200_000  # of base64
MOST_PIXELS = 1024  # of height and width; known from the header, before anything is unpacked
PRESET_DIGIT = 2
SHIFT = 4  # pixels, of the preset with a digit off the centre


def open_picture(picture: str) -> "Image.Image":
    """Return the picture that a base64 text holds, of any mode, with or without `data:image/png;base64,` in front.

    Raises:
        UserError: When it is too long, no PNG, cut off, or has too many pixels.
    """
    from PIL import Image

    within = len(picture) <= MOST_CHARACTERS
    require(within, both("mnist.too_long", length=len(picture), most=MOST_CHARACTERS))
    if picture.startswith("data:"):
        picture = picture.partition(",")[2]
    try:
        opened = Image.open(io.BytesIO(base64.b64decode(picture, validate=True)), formats=["PNG"])
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        raise UserError(both("mnist.no_png")) from None
    width, height = opened.size
    within = max(width, height) <= MOST_PIXELS
    require(within, both("mnist.too_large", width=width, height=height, most=MOST_PIXELS))
    try:
        opened.load()
    except Exception:  # whatever the decoder meets in a file that somebody made for it
        raise UserError(both("mnist.damaged")) from None
    return opened


def as_png(pixels: np.ndarray) -> bytes:
    """Return grey levels (H, W) or colours (H, W, 3), uint8, as a PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def as_picture(pixels: np.ndarray) -> str:
    """Return the same as base64 text, as a URL and `/classify_digit` take it."""
    return base64.b64encode(as_png(pixels)).decode("ascii")


def image_tag(pixels: np.ndarray, alternative: str, css: str = "") -> str:
    """Return pixels as an `<img>`; `alternative` is what a screen reader says."""
    return image(as_png(pixels), alternative, f"pixels {css}")


def sources() -> list[str]:
    """Return where example digits come from: MNIST where its files lie on this machine, and the embedded digits."""
    from hf_llm.data.images import mnist_is_here

    return ["mnist", "digits"] if mnist_is_here() else ["digits"]


@cache
def test_images(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8 (N, 28, 28), and labels (N,) of a test set; `source` is one of `sources()`."""
    from hf_llm.data.images import read_images

    test = read_images(source).test
    return test.images, test.labels


@cache
def examples(source: str) -> list[np.ndarray]:
    """Return the first test image of each digit, ten of uint8 (28, 28)."""
    images, labels = test_images(source)
    return [images[np.argmax(labels == digit)] for digit in range(10)]


def preset_picture(name: str, source: str) -> tuple[str, bool]:
    """Return (picture, whether its digit is found and brought to MNIST's form) of the preset `name`.

    Args:
        name: centred, shifted, paper or face.
        source: Where its digit comes from, one of `sources()`.
    """
    digit = examples(source)[PRESET_DIGIT]
    if name == "centred":
        return as_picture(digit), True
    if name == "shifted":
        return as_picture(shifted(digit, -SHIFT)), False
    if name == "paper":
        return as_picture(255 - digit), False
    return as_picture(face()), True


def shifted(images: np.ndarray, pixels: int) -> np.ndarray:
    """Return images (…, 28, 28) moved to the right by `pixels` (left where negative); black comes in."""
    moved = np.roll(images, pixels, axis=-1)
    if pixels:
        moved[..., slice(None, pixels) if pixels > 0 else slice(pixels, None)] = 0
    return moved


def face() -> np.ndarray:
    """Return a smiling face, which is no digit, uint8 (140, 140)."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (140, 140))
    pen = ImageDraw.Draw(image)
    pen.ellipse([25, 25, 115, 115], outline=255, width=11)
    for left in (50, 80):
        pen.ellipse([left, 50, left + 10, 60], fill=255)
    pen.arc([45, 55, 95, 95], 20, 160, fill=255, width=11)
    return np.asarray(image)
