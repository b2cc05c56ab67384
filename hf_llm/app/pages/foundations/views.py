"""What the page of the labs draws beside the results themselves."""

from html import escape
from typing import TYPE_CHECKING

from hf_llm.app.pages.experiment.views import figure
from hf_llm.app.server.results import SavedResult
from hf_llm.app.views import message
from hf_llm.texts import Language, text

if TYPE_CHECKING:
    from hf_llm.app.pages.foundations.answers import Example


def example(name: str, shown: "Example", result: SavedResult | None, folder: str, lang: Language) -> str:
    """Return why an example is good or bad, its figure where the result is here, and a button that opens its lab."""
    kind = "good" if shown.good else "bad"
    why = f"{text(f'foundations.{kind}', lang)} {text(f'foundations.why.{name}', lang)}"
    if result is not None:
        drawn = figure(result, shown.figure, lang)
    else:
        drawn = message(text("experiment.missing_short", lang, folder=folder))
    opens = text("foundations.open", lang, lab=text(f"foundations.lab.{shown.lab}", lang))
    button = f'<button type="button" class="open" data-choose="{shown.lab}">{escape(opens)}</button>'
    return f"{message(why, kind)}{drawn}{button}"
