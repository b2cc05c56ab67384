"""What every handler and public function runs in: the app is given to it, and what goes wrong becomes a message."""

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gradio as gr
from gradio.context import LocalContext

from hf_llm.config import UserError
from hf_llm.texts import Language, language_of, text

if TYPE_CHECKING:
    from hf_llm.app.page import App

logger = logging.getLogger(__name__)


def guarded(function: Callable, app: "App") -> Callable:
    """Return a handler or an endpoint with `app` given and its `UserError` shown as a message in the reader's language.

    Gradio reads the signature of what this returns, so that a control with a wrong name is refused at the start.
    """
    signature = inspect.signature(function)

    def language(args: tuple, kwargs: dict) -> Language:
        """Return the reader's language; of a client that names none, what its browser or its library asks for."""
        given = signature.bind_partial(app, *args, **kwargs).arguments | kwargs
        request = LocalContext.request.get(None)
        asked = given.get("lang") or (request and request.headers.get("accept-language"))
        return language_of(asked if isinstance(asked, str) else "en")

    @contextmanager
    def errors_shown(args: tuple, kwargs: dict) -> Iterator[None]:
        with app.importing:  # the first page is there before what calls need
            pass
        try:
            yield
        except UserError as error:
            lang = language(args, kwargs)
            raise shown_error(app.said(error, lang), lang) from error
        except gr.Error:
            raise
        except Exception as error:  # a fault of ours, or what no page sends: its traceback is the server's alone
            logger.exception("a call of the app failed")
            lang = language(args, kwargs)
            raise shown_error(text("app.unexpected", lang), lang) from error

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


def shown_error(said: str, lang: Language) -> gr.Error:
    """Return what Gradio shows as a message over the page."""
    return gr.Error(said, title=text("app.error", lang), print_exception=False)
