"""What the first page draws."""

from html import escape

from hf_llm.app.page import url
from hf_llm.app.pages.train import views as train_views
from hf_llm.app.server.training_process import Training
from hf_llm.app.views import code, message, paragraph, table
from hf_llm.texts import Language, text


def models(records: list[dict], none_yet: bool, lang: Language) -> str:
    """Return the table of the models; where no language model is among them, how to get one."""
    drawn = message(text("home.no_model", lang)) if none_yet else ""
    if records:
        headings = {column: text(f"home.column.{column}", lang) for column in records[0]}
        drawn += table(records, headings, text("home.models", lang), lang)
    return drawn


def links(pages: tuple[str, ...], lang: Language) -> str:
    """Return a link to each page, with what one does there."""
    items = "".join(
        f'<li><a href="{url(page)}">{escape(text(f"{page}.title", lang))}</a>: '
        f"{escape(text(f'home.about.{page}', lang))}</li>"
        for page in pages
        if page != "home"
    )
    return f'{paragraph(text("home.next", lang))}<ul class="links">{items}</ul>'


def progress(training: Training, lang: Language) -> str:
    """Return how a training goes, its command, and the way to its curves."""
    watch = f'<p><a href="{url("train", run=escape(training.name))}">{escape(text("home.watch", lang))}</a></p>'
    return train_views.status(training, lang) + code(training.shown_command(), lang, "app.command") + watch
