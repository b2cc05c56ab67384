"""What a page draws from its controls: by itself, and in the same call as a handler that sets some of them.

Left to a change of the controls, the drawing would be a second call: the reader would wait for two answers, and a small
machine would have twice the work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component


@dataclass(frozen=True)
class Drawing:
    """What views show.

    Args:
        handler: `handler(app, **controls, lang)`; it returns {view: HTML}, and what it leaves out stays as it is.
        controls: {name: control}.
        views: All that it may draw.
    """

    handler: Callable[..., dict]
    controls: dict[str, Component]
    views: list[Component]

    def after(self, app, values: Sequence, sets: list[Component], given: dict) -> list:
        """Return what a handler sets, and what is drawn with it; where it sets nothing, all stays as it is.

        Args:
            app: What the pages share.
            values: Of the controls that it sets, in their order; `gr.skip()` for one that it leaves.
            sets: Those controls.
            given: {name: value} of this drawing's controls as they were, and `lang`.
        """
        now = {id(control): value for control, value in zip(sets, values, strict=True) if value != gr.skip()}
        drawn = {}
        if now:
            settings = {name: now.get(id(control), given[name]) for name, control in self.controls.items()}
            drawn = self.handler(app, **settings, lang=given["lang"])
        return [*values, *(drawn.get(view, gr.skip()) for view in self.views)]


NOTHING = Drawing(lambda app, **given: {}, {}, [])
