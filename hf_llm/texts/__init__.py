"""What a learner reads, in Brazilian Portuguese and in English: for experiments, app, cards and errors alike."""

from hf_llm.texts.catalogue import Translated, both, text, texts
from hf_llm.texts.language import LANGUAGES, Language, language_of
from hf_llm.texts.numbers import interval, number, percent

__all__ = [
    "LANGUAGES", "Language", "Translated", "both", "interval", "language_of", "number", "percent", "text", "texts",
]  # fmt: skip
