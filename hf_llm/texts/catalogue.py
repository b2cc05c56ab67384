"""The texts themselves: `texts.yaml` beside the code that shows them, each with its two languages.

    # hf_llm/app/pages/home/texts.yaml
    title: {pt: Início, en: Home}
    models:
      none: {pt: "Nenhum modelo em {folder}.", en: "No model in {folder}."}

>>> text("home.models.none", "en", folder="runs")
'No model in runs.'

A key is the name of the folder, then the keys of the file, joined with dots. Numbers that fill a {place} are written as
the language writes them, also with a format specification: {accuracy:.1%}.
"""

from functools import cache
from pathlib import Path

import yaml

from hf_llm.texts.language import LANGUAGES, Language
from hf_llm.texts.numbers import interval, number

PACKAGE = Path(__file__).parents[1]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
_CODES = {"pt-BR": "pt", "en": "en"}  # language: its key in the files


class Translated(str):
    """An English text that knows its Portuguese one; an error's message can be one."""

    portuguese: str

    def __new__(cls, english: str, portuguese: str):
        made = super().__new__(cls, english)
        made.portuguese = portuguese
        return made

    def __getnewargs__(self):  # an error goes from one process to another
        return str(self), self.portuguese

    def in_language(self, lang: Language) -> str:
        return str(self) if lang == "en" else self.portuguese


class _Shown:
    """A value that a text is filled with, written as the language writes it; `{finding.value:.1f}` reaches into it."""

    def __init__(self, value, lang: Language):
        self._value, self._lang = value, lang

    def __getattr__(self, name: str) -> "_Shown":
        return _Shown(getattr(self._value, name), self._lang)

    def __format__(self, spec: str) -> str:
        match self._value:
            case Translated():
                return self._value.in_language(self._lang)
            case bool() | str():
                return format(self._value, spec)
            case int() | float():
                return number(self._value, self._lang, spec)
            case tuple() | list():
                return interval(self._value, self._lang, spec)
            case _:
                return format(self._value, spec)


@cache
def folders() -> dict[str, Path]:
    """Return {folder name: its texts.yaml} of the whole package."""
    return {path.parent.name: path for path in sorted(PACKAGE.rglob("texts.yaml"))}


@cache
def texts(folder: str) -> dict[str, dict[Language, str]]:
    """Return the texts of a folder as {key: {language: text}}; keys of nested mappings are joined with dots."""
    flat: dict[str, dict[Language, str]] = {}

    def collect(node: dict, prefix: str) -> None:
        for key, value in node.items():
            if isinstance(key, bool):  # what YAML takes a bare yes or no for
                key = "yes" if key else "no"
            if value.keys() == {"pt", "en"}:
                flat[f"{prefix}{key}"] = {language: value[_CODES[language]].strip() for language in LANGUAGES}
            else:
                collect(value, f"{prefix}{key}.")

    collect(yaml.load(folders()[folder].read_text(encoding="utf-8"), _Loader), "")
    return flat


def text(key: str, lang: Language, **values) -> str:
    """Return a text in a language, its {places} filled with `values`.

    Raises:
        KeyError: When there is no such text, or a value is missing.
    """
    folder, _, name = key.partition(".")
    template = texts(folder)[name][lang]
    return template.format(**{place: _Shown(value, lang) for place, value in values.items()}) if values else template


def both(key: str, **values) -> Translated:
    """Return a text in both languages: what a `UserError` that may reach a page is raised with."""
    return Translated(text(key, "en", **values), text(key, "pt-BR", **values))
