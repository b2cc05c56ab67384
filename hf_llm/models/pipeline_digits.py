"""`pipeline("image-classification")` of a published digit classifier: it opens a file as it is.

transformers' own converts whatever it opens to RGB. That cuts a 16-bit scan off at level 255 of 65,535 and turns
transparent into black: a silently wrong digit. The rest is transformers'.
"""

import base64
import os
from io import BytesIO

from huggingface_hub.utils import httpx  # as transformers imports it
from PIL import Image
from transformers import ImageClassificationPipeline


class DigitsPipeline(ImageClassificationPipeline):
    """Takes what transformers' own takes: paths, addresses, base64 texts, PIL images, arrays, or a list of them."""

    def preprocess(self, image, timeout=None):
        if isinstance(image, str):
            image = _open(image, timeout)
        return self.image_processor(images=image, return_tensors="pt").to(self.dtype)


def _open(source: str, timeout: float | None) -> Image.Image:
    """Return the picture that a path, an address or a base64 text stands for.

    Raises:
        ValueError: When it is none of these.
    """
    if source.startswith(("http://", "https://")):
        return Image.open(BytesIO(httpx.get(source, timeout=timeout, follow_redirects=True).content))
    if os.path.isfile(source):
        return Image.open(source)
    try:
        encoded = source.partition(",")[2] if source.startswith("data:image/") else source
        return Image.open(BytesIO(base64.b64decode(encoded, validate=True)))
    except (ValueError, OSError):
        raise ValueError(f"there is no picture at {source[:100]!r}; name a file, an address or a base64 text") from None
