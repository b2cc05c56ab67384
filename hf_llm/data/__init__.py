"""Data: named sources and their hashes, texts, images, and the batch plan."""

from hf_llm.data.batch_plan import BatchPlan
from hf_llm.data.images import ImageData, LabelledImages, draw, hold_out, read_images
from hf_llm.data.search import MissingData, find, is_here, sha256_of
from hf_llm.data.text import Text, read_text, split_text

__all__ = [
    "BatchPlan",
    "ImageData",
    "LabelledImages",
    "MissingData",
    "Text",
    "draw",
    "find",
    "hold_out",
    "is_here",
    "read_images",
    "read_text",
    "sha256_of",
    "split_text",
]
