"""What every page of the app has: its place in the navigation, its language, links that restore it, its events.

    page = Page(app, "tokenizer")          # inside `with demo.route(…)`
    box = gr.Textbox(label=t("tokenizer.text"))
    page.settings(text=box)                # ?text=… fills it, and the link to share holds it
    shown = page.view()
    page.on(box.change, show, {"text": box}, shown)
    page.opens_with(show, {"text": box}, shown)  # once the query of the URL was read

Where a change must be seen at once, the page draws by a script of its own instead, with less on the way:

    page.draws(Drawing(show, {"text": box}, {"shown": shown}))
    page.redraws(box.change)
    page.redraws(page.opens().then)

A handler is a plain function that tests call: `show(app, *, text, lang)`. It gets what the pages share, the controls
by their names, and the reader's language; a `UserError` becomes a message on the page. None of a page's events is
public: those are the endpoints, functions of the same kind whose types and names stay.
"""

import functools
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import gradio as gr
from gradio.components import Component

from hf_llm.app.config import AppConfig
from hf_llm.app.drawing import Drawing
from hf_llm.app.guarded import guarded
from hf_llm.app.i18n import t
from hf_llm.app.navigation import navigation
from hf_llm.app.server.library import Library
from hf_llm.app.server.line import LAB, Line
from hf_llm.app.server.links import read_link
from hf_llm.app.server.places import without_places
from hf_llm.app.server.predictions import Predictions
from hf_llm.app.server.trainings import Trainings
from hf_llm.app.share import share
from hf_llm.app.views import message
from hf_llm.config import UserError
from hf_llm.texts import Language, language_of, text

READ_URL = "() => [location.search, document.documentElement.lang]"
CHOICES = "hf_llm.choices(element, trigger, watch);"  # of choose.js
EXAMPLES = "examples"  # the class of a page's list of examples, for picked.js
Controls = dict[str, Component]
Needs = dict[str, list]  # {name of a setting: the values that it must have}
# calls of one kind wait together, and so many of them run at once; a small machine has two cores
KINDS = {"view": 4, "calculation": 2, "writing": 2, LAB: 1}


@dataclass(frozen=True)
class App:
    """What the pages share."""

    config: AppConfig
    library: Library
    trainings: Trainings
    pages: tuple[str, ...]  # in the order of the navigation
    opened: threading.Event = field(default_factory=threading.Event)  # somebody has a page before them
    # held while the app imports what calls need: two threads that import transformers at once find half a module
    importing: threading.Lock = field(default_factory=threading.Lock)
    predictions: Predictions = field(default_factory=Predictions)  # of the class, where they are counted
    line: Line | None = None  # in which calls wait; a test that serves nothing has none
    drawings: dict[str, Drawing] = field(default_factory=dict)  # of the pages that draw by a script of their own

    def said(self, error: UserError, lang: Language) -> str:
        """Return the message of an error as a visitor may read it."""
        return self.public(error.in_language(lang))

    def public(self, words: str) -> str:
        """Return words about files, such as a name of a folder, as a visitor may read them."""
        folders = (self.config.runs, self.config.results)
        return without_places(words, [Path(folder).absolute().parent for folder in folders])


class Page:
    """Begins a page with navigation, heading and introduction, the texts `<name>.title` and `<name>.intro`."""

    def __init__(self, app: App, name: str):
        self.app, self.name = app, name
        gr.Navbar(visible=False, main_page_name=False)  # Gradio's own is not translated
        gr.HTML(navigation(app.pages, name), elem_classes="navigation")
        self._notice = self.view()
        gr.Markdown(t(f"{name}.intro"))
        self.query = gr.Textbox(visible="hidden", label="query", container=False)
        self._kept = gr.Textbox(visible="hidden", label="kept", container=False)  # what a link locks and hides
        self.lang = gr.Textbox("pt-BR", visible="hidden", label="lang", container=False)
        self._controls: Controls = {}
        self._choices: dict[str, Callable[[Language], list[str]]] = {}
        self._texts: dict[str, Callable[[Language], str]] = {}
        self._needs: dict[str, Needs] = {}
        self._locks: list[Component] = []

    def settings(
        self, choices: dict[str, Callable[[Language], list[str]]] | None = None, locks: Sequence[Component] = (),
        texts: dict[str, Callable[[Language], str]] | None = None, needs: dict[str, Needs] | None = None,
        **controls: Component,
    ) -> None:  # fmt: skip
        """Name the controls that a link restores, and that the address of the page holds.

        Args:
            choices: For a list that changes, what it holds now for a reader of a language. Unless a link asks for
                another, the first list opens with its first entry and the second, to compare, with its second.
            locks: What sets them and is locked with any of them: lists and buttons of examples.
            texts: What a text box opens with, likewise.
            needs: {name: {another name: the values that it must have}}, for a control that has no effect otherwise; a
                link then leaves it out.
            controls: {name in the URL: control}.
        """
        self._controls |= controls
        for name, control in controls.items():
            control.elem_classes = [*control.elem_classes, f"setting-{name}"]
        self._choices |= choices or {}
        self._texts |= texts or {}
        self._needs |= needs or {}
        self._locks += locks

    def view(self, script: str = "", **options) -> gr.HTML:
        """Return an empty view for what a page's views.py writes; `chosen` tells which of its buttons was clicked.

        A `script` of its own runs after what all views have, choose.js.
        """
        return gr.HTML("", js_on_load=CHOICES + script, **options)

    def on(self, event: Callable | list, handler: Callable, controls: Controls, outputs, kind: str = "view", **options):
        """Call `handler(app, **controls, lang)` at `event`, such as `button.click`, or at any of a list of events.

        The call waits with the others of its `kind`, one of `KINDS`.
        """
        options = {"api_visibility": "private", "show_progress": "hidden", **turn(kind), **options}
        controls = {**controls, "lang": self.lang}
        return at(event)(guarded(handler, self.app), outputs=outputs, inputs_kwargs=controls, **options)

    def picked(self, examples: gr.Dropdown, handler: Callable, sets: list):
        """Call `handler(app, preset=…, lang)` when the reader picks one of the page's list of examples.

        It returns the values of the controls `sets`.
        """
        examples.elem_classes = [*examples.elem_classes, EXAMPLES]

        def pick(app: App, preset: str | None, lang: Language):
            if preset is None:  # the list has only lost the focus
                return [gr.skip()] * len(sets)
            return handler(app, preset=preset, lang=lang)

        js = "async (value, ...others) => [await hf_llm.picked(value), ...others]"
        return self.on(examples.input, pick, {"preset": examples}, sets, js=js)

    def chosen(self, view: gr.HTML, handler: Callable, controls: Controls, sets):
        """Call `handler(app, choice=…, **controls, lang)` when a button with `data-choose` is clicked.

        It returns the value of the control `sets`, or the values of several. One that a teacher's link locks stays as
        it is.
        """
        several = isinstance(sets, list)

        def choose(app: App, evt: gr.EventData, kept: str, **given):
            answer = handler(app, choice=str(evt.choice), **given)
            locked = [self._controls.get(name) for name in json.loads(kept or "{}").get("locked", [])]
            free = [
                gr.skip() if any(control is one for one in locked) else value
                for control, value in zip(sets if several else [sets], answer if several else [answer], strict=True)
            ]
            return free if len(free) > 1 else free[0]  # Gradio puts the value of one output into a list itself

        return self.on(view.select, choose, {**controls, "kept": self._kept}, sets)

    def draws(self, drawing: Drawing) -> None:
        """Let the page's own script draw when the reader chooses something; `redraws` is for what else happens."""
        drawing = replace(drawing, changing=self._choices)  # the same dict, also where `settings` fills it later
        self._drawing = self.app.drawings[self.name] = drawing
        for name, view in drawing.views.items():
            view.elem_classes = [*view.elem_classes, f"drawn-{name}"]
        for name, choice in drawing.choices.items():
            where = choice.where
            if isinstance(where, gr.HTML):
                self._draw(where.select, where, f"{{where: {name!r}, choice: hf_llm.pressed({name!r}), anew: true}}")
            elif isinstance(where, gr.Dropdown):
                where.elem_classes = [*where.elem_classes, EXAMPLES]
                picked = "await hf_llm.picked(value)"
                self._draw(where.input, where, f"{{where: {name!r}, choice: {picked}, anew: true}}")
            else:
                self._draw(where.change, where, f"{{where: {name!r}, choice: value}}")

    def redraws(self, event: Callable | list, anew: bool = False) -> None:
        """Draw at `event` as in `on`, where controls have changed, or `anew` what depends on more than them."""
        self._draw(event, self._kept, "{anew: true}" if anew else "{}")

    def _draw(self, event: Callable | list, where: Component, why: str) -> None:
        """Bind draw.js to an event; `why` is its last argument, and may use the `value` of `where`."""
        controls = self._drawing.controls
        asked = {**controls, "kept": self._kept, "lang": self.lang}
        js = f"async (value, ...values) => hf_llm.draw({json.dumps([*asked])}, values, {why})"
        at(event)(
            None, [where, *asked.values()], [*controls.values()], js=js, api_visibility="private",
            show_progress="hidden", trigger_mode="multiple",
        )  # fmt: skip

    def opens_with(self, handler: Callable, controls: Controls, outputs):
        """Add the links to share, read the URL when the page opens, and then call the handler as `on` does."""
        return self.on(self.opens().then, handler, controls, outputs)

    def opens(self):
        """Add the links to share, and read the URL when the page opens; return the event, whose `then` follows it."""
        if self._controls:
            share(self, self._controls, self._needs, self._in_force())
        opening = gr.context.Context.root_block.load(
            self._restore, [self.query, self.lang],
            [self.query, self.lang, *self._controls.values(), *self._others(), self._notice, self._kept],
            js=READ_URL, api_visibility="private", show_progress="hidden", **turn("view"),
        )  # fmt: skip
        if self._controls:
            changes = [control.change for control in self._controls.values()]
            js = f"(...values) => hf_llm.address({self._in_force()}, values)"
            gr.on(changes, None, [*self._controls.values()], None, js=js, api_visibility="private")
        opening.then(None, self._kept, None, js="(kept) => hf_llm.keep(kept)", api_visibility="private")
        return opening

    def _restore(self, query: str, lang: str) -> list:
        self.app.opened.set()
        link, language = read_link(self.name, query or "", self._controls), language_of(lang)
        locked = frozenset(self._controls) if link.changed else link.locked
        updates, usual = [], {}
        for name, control in self._controls.items():
            change = {"interactive": False} if name in locked or (locked and self._sets_others(name)) else {}
            choices = getattr(control, "choices", None) and [value for _, value in control.choices]
            if name in self._choices:
                change["choices"] = choices = self._choices[name](language)
                if choices:
                    change["value"] = choices[0]
            elif name in self._texts:
                change["value"] = self._texts[name](language)
            usual[name] = change.get("value", control.value)
            value = restored(control, link.asked.get(name), choices, self.app.config.max_characters)
            updates.append(gr.update(**{**change, **({} if value is None else {"value": value})}))
        updates += [gr.update(interactive=False) if locked else gr.update() for _ in self._others()]
        notice = message(text("app.link_changed", language), "bad") if link.changed else ""
        kept = {"locked": [*locked], "hidden": [*link.hidden], "usual": usual}
        return [query, language, *updates, notice, json.dumps(kept)]

    def _sets_others(self, name: str) -> bool:
        """Say whether a control that a link restores sets others: it is locked with any of them."""
        return any(control is self._controls[name] for control in self._locks)

    def _others(self) -> list[Component]:
        """Return what sets controls and is none that a link restores."""
        return [lock for lock in self._locks if all(lock is not control for control in self._controls.values())]

    def _in_force(self) -> str:
        """Return {name: [the value that it is built with, what it needs]} of the settings, as a script reads it.

        What a list or a text opens with is another one in another language, so a link holds it in any case.
        """
        others = {*self._choices, *self._texts}
        found = {
            name: [None if name in others else control.value, self._needs.get(name, {})]
            for name, control in self._controls.items()
        }
        return json.dumps(found)


def at(event: Callable | list) -> Callable:
    """Return what binds a handler to an event, such as `button.click`, or to any of a list of events."""
    return functools.partial(gr.on, event) if isinstance(event, list) else event


def turn(kind: str) -> dict:
    """Return what Gradio takes for a call that waits with the others of its `kind`."""
    return {"concurrency_id": kind, "concurrency_limit": KINDS[kind]}


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
