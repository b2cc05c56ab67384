"""Data: named sources and their hashes, texts, images, labelled messages, and the batch plan."""

from hf_llm.data.batch_plan import BatchPlan
from hf_llm.data.files import find_files
from hf_llm.data.images import ImageData, LabelledImages, draw, hold_out, read_images
from hf_llm.data.messages import (
    LabelledTexts,
    MessageData,
    draw_messages,
    read_messages,
    split_messages,
)  # fmt: skip
from hf_llm.data.reading import Reading
from hf_llm.data.search import MissingData, find, is_here, sha256_of
from hf_llm.data.text import Text, read_text, split_text

__all__ = [
    "BatchPlan",
    "ImageData",
    "LabelledImages",
    "LabelledTexts",
    "MessageData",
    "MissingData",
    "Reading",
    "Text",
    "draw",
    "draw_messages",
    "find",
    "find_files",
    "hold_out",
    "is_here",
    "read_images",
    "read_messages",
    "read_text",
    "sha256_of",
    "split_messages",
    "split_text",
]
