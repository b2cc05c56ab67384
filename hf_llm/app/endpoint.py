"""A public function as its clients meet it: whatever they send, an answer of bounded size, or one sentence.

What a function says of its arguments holds: Gradio shows their types to clients, but hands on whatever they send.
"""

import functools
import inspect
import json
from collections.abc import Callable

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hf_llm.app.guarded import guarded
from hf_llm.app.page import App
from hf_llm.config import UserError, quoted, require
from hf_llm.texts import both

ANSWER = 1_000_000  # bytes
FINITE = ConfigDict(allow_inf_nan=False)


def endpoint(function: Callable, app: App) -> Callable:
    """Return a public function of a page with `app` given, its arguments of their types, and its answer bounded.

    A number without a fraction is a whole one, however JSON wrote it.
    """
    parameters = [*inspect.signature(function).parameters.values()][1:]
    types = {each.name: each.annotation for each in parameters}
    adapters = {name: TypeAdapter(kind, config=FINITE) for name, kind in types.items()}

    def typed(args: tuple, given: dict) -> dict:
        given = dict(zip(types, args)) | given
        return {name: _of_type(name, value, types[name], adapters[name]) for name, value in given.items()}

    if inspect.isgeneratorfunction(function):  # what streams is bounded in itself, and a part is sent when it is there

        @functools.wraps(function)
        def bounded(app: App, *args, **given):
            yield from function(app, **typed(args, given))

    else:

        @functools.wraps(function)
        def bounded(app: App, *args, **given):
            answer = function(app, **typed(args, given))
            size = len(json.dumps(answer))
            require(size <= ANSWER, both("app.answer_too_long", megabytes=size / 1e6, most=ANSWER / 1e6))
            return answer

    return guarded(bounded, app)


def _of_type(name: str, value: object, kind: object, adapter: TypeAdapter) -> object:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        given = quoted(repr(value)[:200], most=60)
        expected = inspect.formatannotation(kind)
        raise UserError(both("app.wrong_type", name=name, expected=expected, given=given)) from None
