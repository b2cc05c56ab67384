"""What every page of the app has: its place in the navigation, its language, links that restore it, its events.

    page = Page(app, "tokenizer")          # inside `with demo.route(…)`
    words = gr.Textbox(label=t("tokenizer.text"))
    page.settings(text=words)              # ?text=… fills it, and the link to share holds it
    shown = page.view()
    page.on(words.change, render, [words], shown)
    page.opens_with(render, [words], shown)  # once the address was read

Handlers are plain functions that tests call. They get `lang` last, the reader's language; a `UserError` becomes a
message on the page. None of a page's events is public: those are the endpoints, with types and names that stay.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import gradio as gr
from gradio.components import Component

from hf_llm.app.config import AppConfig
from hf_llm.app.server.library import Library
from hf_llm.app.server.trainings import Trainings
from hf_llm.app.texts import Language, t, text, texts
from hf_llm.config import UserError

HERE = Path(__file__).parent
READ_ADDRESS = "() => [location.search, document.documentElement.lang]"
CHOOSE = (HERE / "choose.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class App:
    """What the pages share."""

    config: AppConfig
    library: Library
    trainings: Trainings
    paths: tuple[str, ...]  # of the pages, in the order of the navigation
    opened: threading.Event = field(default_factory=threading.Event)  # somebody has a page before him


class Page:
    """Begins the page at `path` with navigation, heading and introduction (`<path or home>.title` and `.intro`)."""

    def __init__(self, app: App, path: str):
        self.app, self.path, self.name = app, path, path or "home"
        gr.Navbar(visible=False, main_page_name=False)  # Gradio's own is not translated
        gr.HTML(navigation(app.paths, path), elem_classes="navigation")
        gr.Markdown(t(f"{self.name}.intro"))
        self.query = gr.Textbox(visible="hidden", label="query", container=False)
        self.lang = gr.Textbox("pt-BR", visible="hidden", label="lang", container=False)
        self._controls: dict[str, Component] = {}
        self._choices: dict[str, Callable[[], list[str]]] = {}
        self._locks: list[Component] = []

    def settings(
        self, choices: dict[str, Callable[[], list[str]]] | None = None, locks: Sequence[Component] = (),
        **controls: Component,
    ) -> None:  # fmt: skip
        """Name the controls that a link restores.

        Args:
            choices: For a list that changes, what it holds now.
            locks: What else is locked with them, because it would set them: the buttons of examples.
            controls: {name in the address: control}.
        """
        self._controls |= controls
        self._choices |= choices or {}
        self._locks += locks

    def view(self, **options) -> gr.HTML:
        """Return an empty view for what views.py writes; its `select` event has `choice`, the pressed `data-choose`."""
        return gr.HTML("", js_on_load=CHOOSE, **options)

    def on(self, event: Callable | list, handler: Callable, inputs: list, outputs, **options):
        """Call `handler(*inputs, lang)` at `event`, for instance `button.click`, or at any of a list of events."""
        event = functools.partial(gr.on, event) if isinstance(event, list) else event
        options = {"api_visibility": "private", "show_progress": "hidden", **options}
        return event(guarded(handler), [*inputs, self.lang], outputs, **options)

    def opens_with(self, handler: Callable, inputs: list, outputs):
        """Add the links to share, read the address when the page opens, and then call `handler(*inputs, lang)`."""
        self._links()
        opening = gr.context.Context.root_block.load(
            self._restore, [self.query, self.lang], [self.lang, *self._controls.values(), *self._locks],
            js=READ_ADDRESS, api_visibility="private", show_progress="hidden",
        )  # fmt: skip
        return self.on(opening.then, handler, inputs, outputs)

    def _restore(self, query: str, lang: str) -> list:
        self.app.opened.set()
        asked = {name: values[0] for name, values in parse_qs((query or "").lstrip("?")).items()}
        locked = {"interactive": False} if asked.get("lock") == "1" else {}
        updates = []
        for name, control in self._controls.items():
            change = dict(locked)
            choices = getattr(control, "choices", None) and [value for _, value in control.choices]
            if name in self._choices:
                change["choices"] = choices = self._choices[name]()
                if choices and control.value not in choices:
                    change["value"] = choices[0]
            value = restored(control, asked.get(name), choices, self.app.config.max_characters)
            updates.append(gr.update(**change, **({} if value is None else {"value": value})))
        return ["en" if lang == "en" else "pt-BR", *updates, *[gr.update(**locked) for _ in self._locks]]

    def _links(self) -> None:
        if not self._controls:
            return
        with gr.Accordion(t("common.share"), open=False):
            for lock, key in ((False, "common.link"), (True, "common.locked_link")):
                with gr.Row(equal_height=True):
                    link = gr.Textbox(label=t(key), scale=4)  # one can select in it, unlike in a disabled one
                    make = gr.Button(t("common.make_link"), scale=1)
                names = list(self._controls)
                make.click(
                    None, list(self._controls.values()), link,
                    js=f"(...values) => hf_llm.link({names}, values, {str(lock).lower()})",
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


def guarded(handler: Callable) -> Callable:
    """Return `handler` with its `UserError` turned into a message on the page; a generator stays one."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def guard(*args, **kwargs):
            try:
                yield from handler(*args, **kwargs)
            except UserError as error:
                raise gr.Error(str(error), print_exception=False) from error

    else:

        @functools.wraps(handler)
        def guard(*args, **kwargs):
            try:
                return handler(*args, **kwargs)
            except UserError as error:
                raise gr.Error(str(error), print_exception=False) from error

    return guard


def checked(words: str, most: int, lang: Language = "en") -> str:
    """Return a visitor's text, which the browser's own limit does not bound.

    Raises:
        UserError: When it is longer than `most` characters or is no valid Unicode; the sentence is in `lang`.
    """
    if len(words) > most:
        raise UserError(text("common.too_long", lang, most=most, length=len(words)))
    try:
        words.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(text("common.not_unicode", lang)) from None
    return words


def navigation(paths: tuple[str, ...], current: str) -> str:
    """Return the links to all pages in both languages, of which the style sheet shows the reader's."""
    links = []
    for path in paths:
        title = texts()[f"{path or 'home'}.title"]
        here = ' aria-current="page"' if path == current else ""
        links.append(f'<li><a href="./{path}"{here}>{both(title)}</a></li>')
    languages = (
        '<li><a href="?lang=pt-BR" hreflang="pt-BR" lang="pt-BR" data-language>Português</a></li>'
        '<li><a href="?lang=en" hreflang="en" lang="en" data-language>English</a></li>'
    )
    return f"<nav><ul>{''.join(links)}</ul><ul>{languages}</ul></nav>"


def both(words: dict[str, str]) -> str:
    """Return a text in both languages, for the style sheet to choose from."""
    return f'<span lang="pt-BR">{escape(words["pt"])}</span><span lang="en">{escape(words["en"])}</span>'
