"""Texts that the browser shows in the reader's language, which it knows before anything is drawn.

What Python draws for one reader (tables, messages) takes the language with each call instead, by `hf_llm.texts.text`:
there is no global language, since one process serves readers of both.
"""

from functools import cache
from html import escape
from pathlib import Path

from gradio import I18n
from gradio.i18n import I18nData

from hf_llm.texts import LANGUAGES, text
from hf_llm.texts.catalogue import folders, texts

_labels: set[str] = set()  # the keys that `t` was asked for: the texts that a page has to bring along


def t(key: str) -> I18nData:
    """Return a label that the browser translates; to be asked for while the pages are built.

    Raises:
        KeyError: When there is no such text: a page with an untranslated key is never built.
    """
    text(key, "en")
    _labels.add(key)
    return I18nData(key)


def in_both_languages(key: str) -> str:
    """Return a text in both languages as HTML, of which the style sheet shows the reader's."""
    return "".join(f'<span lang="{lang}">{escape(text(key, lang))}</span>' for lang in LANGUAGES)


@cache
def keys() -> list[str]:
    """Return the keys of all texts of the app."""
    here = Path(__file__).parent
    return [f"{folder}.{key}" for folder, path in folders().items() if here in path.parents for key in texts(folder)]


def i18n() -> I18n:
    """Return what `launch(i18n=…)` takes, once the pages are built. Browsers ask for `pt` as well as for `pt-BR`."""
    english, portuguese = ({key: text(key, lang) for key in sorted(_labels)} for lang in ("en", "pt-BR"))
    return I18n(**{"en": english, "pt": portuguese, "pt-BR": portuguese})
