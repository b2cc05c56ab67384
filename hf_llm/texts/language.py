"""The two languages of the project."""

from typing import Literal

Language = Literal["pt-BR", "en"]
LANGUAGES: tuple[Language, ...] = ("pt-BR", "en")  # the first one is the default


def language_of(code: str | None) -> Language:
    """Return the language that a code such as `pt`, `pt-PT` or `en-GB` asks for; Portuguese where it asks for neither.

    >>> language_of("en-GB"), language_of("pt"), language_of(None)
    ('en', 'pt-BR', 'pt-BR')
    """
    return "en" if (code or "").lower().startswith("en") else "pt-BR"
