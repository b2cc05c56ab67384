"""What the drawings of the page "inside" share: a matrix as a picture, and the data behind a figure."""

import io
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from hf_llm.app.texts import Language, text
from hf_llm.app.views import behind, image

if TYPE_CHECKING:
    from torch import Tensor


def data(name: str, records: Sequence[dict], caption: str, lang: Language) -> str:
    """Return what stands behind a figure; the headings are the texts `column_<key>`."""
    headings = {key: text(f"inside.column_{key}", lang) for key in records[0]} if records else {}
    return behind(name, records, headings, caption, lang)


def typical(values: Sequence[Sequence[float | None]]) -> float:
    """Return the number that gets the full colour: the median of the rows' strongest, so that an outlier pales no row.

    In a map of attention the first rows have hardly anything to choose from, and their weights are near 1.
    """
    return median(max(abs(value) for value in row if value is not None) for row in values) or 1.0


def picture(values: "Tensor", alt: str) -> str:
    """Return a matrix as a small PNG, a pixel a number: blue above 0, orange below, clear at 0.

    Args:
        values: Numbers, shape (rows, columns).
        alt: What it shows; empty where the text beside it says so.
    """
    import numpy as np
    from PIL import Image

    numbers = values.numpy()
    strength = np.minimum(1, np.abs(numbers) / typical(values.tolist()))
    pixels = np.where((numbers < 0)[..., None], (234, 88, 12), (99, 102, 241)).astype(np.uint8)  # (rows, columns, 3)
    pixels = np.concatenate([pixels, (255 * strength).astype(np.uint8)[..., None]], axis=-1)
    content = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(content, "PNG", optimize=True)
    return image(content.getvalue(), alt, "matrix")
