"""What a page draws by its own script, draw.js, with what a reader chooses there: one request, and one answer.

Gradio's way to a drawing is longer: see server/drawings.py.
"""

import json
from collections.abc import Callable, Container
from dataclasses import dataclass, field

import gradio as gr
from gradio.components import Component


@dataclass(frozen=True)
class Choice:
    """Where something is chosen that sets controls.

    Args:
        where: A view, whose buttons have `data-choose`; the page's list of examples; or a control.
        handler: `handler(app, choice=…, **controls, lang)`; it returns {name of a control: the value that it sets}.
    """

    where: Component
    handler: Callable[..., dict]


@dataclass(frozen=True)
class Drawing:
    """What the views of a page show; nothing else writes into them.

    Args:
        handler: `handler(app, **controls, lang)`; it returns {view: HTML}, and what it leaves out stays as it is.
        controls: {name: control}.
        views: {name: view}.
        choices: {name: where the reader chooses something}.
        changing: Names of the lists whose entries change while the app runs; the page knows them.
    """

    handler: Callable[..., dict]
    controls: dict[str, Component]
    views: dict[str, gr.HTML]
    choices: dict[str, Choice] = field(default_factory=dict)
    changing: Container[str] = ()

    def asked(self, app, *, settings: dict, chosen: list | None, kept: str, lang: str) -> dict:
        """Return what draw.js asks for: {sets: {control: value}, views: {view: HTML}}.

        Args:
            app: What the pages share.
            settings: {control: value}, as the page has them.
            chosen: The name of a choice, and what was chosen; None where controls have changed.
            kept: What the page keeps of its link; a control that it locks stays as it is.
            lang: The reader's language.
        """
        given = {name: self._value(name, settings[name]) for name in self.controls}
        if chosen is None:
            return {"sets": {}, "views": self.handler(app, **given, lang=lang)}
        name, choice = chosen
        found = self.choices[name].handler(app, choice=str(choice), **given, lang=lang)
        locked = json.loads(kept or "{}").get("locked", [])
        sets = {name: value for name, value in found.items() if name not in locked}
        return {"sets": sets, "views": self.handler(app, **{**given, **sets}, lang=lang)}

    def _value(self, name: str, value):
        """Return a value as Gradio hands it to a handler: of the control's type, and one that it offers."""
        return value if name in self.changing else self.controls[name].preprocess(value)
