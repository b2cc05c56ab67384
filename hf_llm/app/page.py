"""What every page of the app has: its place in the navigation, its language, links that restore it, its events.

    page = Page(app, "tokenizer")          # inside `with demo.route(…)`
    box = gr.Textbox(label=t("tokenizer.text"))
    page.settings(text=box)                # ?text=… fills it, and the link to share holds it
    shown = page.view()
    page.on(box.change, show, {"text": box}, shown)
    page.opens_with(show, {"text": box}, shown)  # once the query of the URL was read

A handler is a plain function that tests call: `show(app, *, text, lang)`. It gets what the pages share, the controls
by their names, and the reader's language; a `UserError` becomes a message on the page. None of a page's events is
public: those are the endpoints, functions of the same kind whose types and names stay.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import gradio as gr
from gradio.components import Component

from hf_llm.app.config import AppConfig
from hf_llm.app.i18n import in_both_languages, t
from hf_llm.app.server.library import Library
from hf_llm.app.server.trainings import Trainings
from hf_llm.config import UserError
from hf_llm.texts import Language, both, language_of

READ_URL = "() => [location.search, document.documentElement.lang]"
CHOOSE = (Path(__file__).parent / "choose.js").read_text(encoding="utf-8")
Controls = dict[str, Component]


@dataclass(frozen=True)
class App:
    """What the pages share."""

    config: AppConfig
    library: Library
    trainings: Trainings
    pages: tuple[str, ...]  # in the order of the navigation
    opened: threading.Event = field(default_factory=threading.Event)  # somebody has a page before them


class Page:
    """Begins a page with navigation, heading and introduction, the texts `<name>.title` and `<name>.intro`."""

    def __init__(self, app: App, name: str):
        self.app, self.name = app, name
        gr.Navbar(visible=False, main_page_name=False)  # Gradio's own is not translated
        gr.HTML(navigation(app.pages, name), elem_classes="navigation")
        gr.Markdown(t(f"{name}.intro"))
        self.query = gr.Textbox(visible="hidden", label="query", container=False)
        self.lang = gr.Textbox("pt-BR", visible="hidden", label="lang", container=False)
        self._controls: Controls = {}
        self._choices: dict[str, Callable[[Language], list[str]]] = {}
        self._texts: dict[str, Callable[[Language], str]] = {}
        self._locks: list[Component] = []

    def settings(
        self, choices: dict[str, Callable[[Language], list[str]]] | None = None, locks: Sequence[Component] = (),
        texts: dict[str, Callable[[Language], str]] | None = None, **controls: Component,
    ) -> None:  # fmt: skip
        """Name the controls that a link restores.

        Args:
            choices: For a list that changes, what it holds now for a reader of a language. Unless a link asks for
                another, the first list opens with its first entry and the second, to compare, with its second.
            locks: What else is locked with them, because it would set them: the buttons of examples.
            texts: What a text box opens with, likewise.
            controls: {name in the URL: control}.
        """
        self._controls |= controls
        self._choices |= choices or {}
        self._texts |= texts or {}
        self._locks += locks

    def view(self, script: str = "", **options) -> gr.HTML:
        """Return an empty view for what a page's views.py writes; `chosen` tells which of its buttons was clicked.

        A `script` of its own runs after the one that all views have, choose.js.
        """
        return gr.HTML("", js_on_load=CHOOSE + script, **options)

    def on(self, event: Callable | list, handler: Callable, controls: Controls, outputs, **options):
        """Call `handler(app, **controls, lang)` at `event`, such as `button.click`, or at any of a list of events."""
        event = functools.partial(gr.on, event) if isinstance(event, list) else event
        options = {"api_visibility": "private", "show_progress": "hidden", **options}
        controls = {**controls, "lang": self.lang}
        return event(guarded(handler, self.app), outputs=outputs, inputs_kwargs=controls, **options)

    def chosen(self, view: gr.HTML, handler: Callable, controls: Controls, outputs):
        """Call `handler(app, choice=…, **controls, lang)` when a button with `data-choose` is clicked."""

        def choose(app: App, evt: gr.EventData, **given):
            return handler(app, choice=str(evt.choice), **given)

        return self.on(view.select, choose, controls, outputs)

    def opens_with(self, handler: Callable, controls: Controls, outputs):
        """Add the links to share, read the URL when the page opens, and then call the handler as `on` does."""
        self._links()
        opening = gr.context.Context.root_block.load(
            self._restore, [self.query, self.lang], [self.query, self.lang, *self._controls.values(), *self._locks],
            js=READ_URL, api_visibility="private", show_progress="hidden",
        )  # fmt: skip
        return self.on(opening.then, handler, controls, outputs)

    def _restore(self, query: str, lang: str) -> list:
        self.app.opened.set()
        asked = {name: values[0] for name, values in parse_qs((query or "").lstrip("?")).items()}
        locked = {"interactive": False} if asked.get("lock") == "1" else {}
        updates, language = [], language_of(lang)
        for name, control in self._controls.items():
            change = dict(locked)
            choices = getattr(control, "choices", None) and [value for _, value in control.choices]
            if name in self._choices:
                change["choices"] = choices = self._choices[name](language)
                if choices:
                    change["value"] = choices[0]
            elif name in self._texts:
                change["value"] = self._texts[name](language)
            value = restored(control, asked.get(name), choices, self.app.config.max_characters)
            updates.append(gr.update(**{**change, **({} if value is None else {"value": value})}))
        return [query, language, *updates, *[gr.update(**locked) for _ in self._locks]]

    def _links(self) -> None:
        if not self._controls:
            return
        with gr.Accordion(t("app.share"), open=False):
            for lock, key in ((False, "app.link"), (True, "app.locked_link")):
                with gr.Row(equal_height=True):
                    link = gr.Textbox(label=t(key), scale=4)  # one can select in it, unlike in a disabled one
                    make = gr.Button(t("app.make_link"), scale=1)
                make.click(
                    None, list(self._controls.values()), link,
                    js=f"(...values) => hf_llm.link({list(self._controls)}, values, {str(lock).lower()})",
                    api_visibility="private",
                )  # fmt: skip


def restored(control: Component, asked: str | None, choices: list | None, max_characters: int):
    """Return the value that a link asks a control to have, or None where it asks nothing or the impossible."""
    if asked is None:
        return None
    if choices is not None:
        return next((choice for choice in choices if str(choice) == asked), None)
    if isinstance(control, gr.Checkbox):
        return asked in ("1", "true")
    if isinstance(control, gr.Slider | gr.Number):
        try:
            value = float(asked)
        except ValueError:
            return None
        low, high = control.minimum, control.maximum
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            return None
        return int(value) if value.is_integer() else value
    return asked[:max_characters]


def guarded(function: Callable, app: App) -> Callable:
    """Return a handler or an endpoint with `app` given and its `UserError` shown as a message in the reader's language.

    Gradio reads the signature of what this returns, so that a control with a wrong name is refused at the start.
    """
    signature = inspect.signature(function)

    @contextmanager
    def errors_shown(args: tuple, kwargs: dict) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            given = signature.bind(app, *args, **kwargs).arguments | kwargs
            raise gr.Error(error.in_language(given.get("lang", "en")), print_exception=False) from error

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def guard(*args, **kwargs):
            with errors_shown(args, kwargs):
                yield from function(app, *args, **kwargs)

    else:

        @functools.wraps(function)
        def guard(*args, **kwargs):
            with errors_shown(args, kwargs):
                return function(app, *args, **kwargs)

    guard.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])
    return guard


def checked(text: str, most: int) -> str:
    """Return a visitor's text, which the browser's own limit does not bound.

    Raises:
        UserError: When it is longer than `most` characters or is no valid Unicode.
    """
    if len(text) > most:
        raise UserError(both("app.too_long", most=most, length=len(text)))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(both("app.not_unicode")) from None
    return text


def url(page: str, lang: Language | None = None, **settings: str) -> str:
    """Return the relative URL of a page, for HTML that is written as it is."""
    query = "&amp;".join(f"{name}={value}" for name, value in {**settings, "lang": lang}.items() if value)
    return f"./{'' if page == 'home' else page}{'?' if query else ''}{query}"


def navigation(pages: tuple[str, ...], current: str) -> str:
    """Return the links to all pages and to both languages."""
    links = "".join(
        f'<li><a href="{url(page)}"{" aria-current=page" if page == current else ""}>'
        f"{in_both_languages(f'{page}.title')}</a></li>"
        for page in pages
    )
    languages = (
        '<li><a href="?lang=pt-BR" hreflang="pt-BR" lang="pt-BR" data-language>Português</a></li>'
        '<li><a href="?lang=en" hreflang="en" lang="en" data-language>English</a></li>'
    )
    return f"<nav><ul>{links}</ul><ul>{languages}</ul></nav>"
