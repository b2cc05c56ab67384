"""Every text of the app in both languages: one YAML file a page, `key: {pt: …, en: …}`; a key is `file.key`.

Labels and fixed texts are translated in the browser (`t`), which knows the reader's language before anything is drawn.
What Python writes (tables, messages) is told the language with each call (`text`): there is no global language, since
one process serves readers of both.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from gradio import I18n
from gradio.i18n import I18nData

Language = Literal["pt-BR", "en"]


@cache
def texts() -> dict[str, dict[str, str]]:
    """Return {"page.key": {"pt": …, "en": …}}."""
    files = sorted(Path(__file__).parent.glob("*.yaml"))
    return {
        f"{file.stem}.{key}": words
        for file in files
        for key, words in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }


def t(key: str) -> I18nData:
    """Return a label that the browser shows in the reader's language.

    Raises:
        KeyError: When there is no such text: a page with an untranslated key is never built.
    """
    texts()[key]
    return I18nData(key)


def text(key: str, lang: Language, **values) -> str:
    """Return a text in `lang`, its {names} filled with `values`."""
    words = texts()[key]["en" if lang == "en" else "pt"]
    return words.format(**values) if values else words


def i18n() -> I18n:
    """Return what `launch(i18n=…)` takes. Browsers ask for `pt` as well as for `pt-BR`."""
    translations = {lang: {key: words[lang] for key, words in texts().items()} for lang in ("pt", "en")}
    return I18n(**translations, **{"pt-BR": translations["pt"]})
