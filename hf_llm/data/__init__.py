"""Data: named sources and their hashes, texts, and the batch plan."""

from hf_llm.data.batch_plan import BatchPlan
from hf_llm.data.search import MissingData, find, sha256_of
from hf_llm.data.text import Text, read_text, split_text

__all__ = ["BatchPlan", "MissingData", "Text", "find", "read_text", "sha256_of", "split_text"]
