"""The links between the pages of the app: relative, since a proxy may serve it below any address."""

from urllib.parse import quote

from hf_llm.app.i18n import in_both_languages
from hf_llm.texts import Language


def url(page: str, lang: Language | None = None, **settings: str) -> str:
    """Return the relative URL of a page, for HTML that is written as it is."""
    query = "&amp;".join(f"{name}={quote(value)}" for name, value in {**settings, "lang": lang}.items() if value)
    return f"./{'' if page == 'home' else page}{'?' if query else ''}{query}"


def navigation(pages: tuple[str, ...], current: str) -> str:
    """Return the links to all pages, to the large view for a projector, and to both languages."""
    links = "".join(
        f'<li><a href="{url(page)}"{" aria-current=page" if page == current else ""}>'
        f"{in_both_languages(f'{page}.title')}</a></li>"
        for page in pages
    )
    tools = (
        f'<li><a href="?projector=1" data-projector>{in_both_languages("app.projector")}</a></li>'
        '<li><a href="?lang=pt-BR" hreflang="pt-BR" lang="pt-BR" data-language>Português</a></li>'
        '<li><a href="?lang=en" hreflang="en" lang="en" data-language>English</a></li>'
    )
    return f"<nav><ul>{links}</ul><ul>{tools}</ul></nav>"
