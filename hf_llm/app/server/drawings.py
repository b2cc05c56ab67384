"""What the script of a page asks for by itself: its drawings, at an address of their own.

Gradio's way to a drawing is a call into its queue, a stream of answers that opens and closes, and a comparison of the
page before with the page after; on a small machine that takes longer than a change in a picture should. Here a request
is answered with the HTML, and draw.js puts it into its place. The order is as fair as the queue's.
"""

import json

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hf_llm.app.guarded import guarded
from hf_llm.app.page import KINDS, App
from hf_llm.app.server.turns import Turns
from hf_llm.config import UserError, require
from hf_llm.texts import language_of

ADDRESS = "/draw/{page}"
MOST = 4_000_000  # bytes of a request: a text that is too long is still one that can be told so


class Drawings:
    """Answers `POST /draw/<page>`.

    A request is {settings: {control: value}, chosen: [view, choice] or null, kept, lang, session}; the answer is {sets:
    {control: value}, views: {view: HTML}}, or {said: why not}.
    """

    def __init__(self, app: App):
        self.app, self.turns = app, Turns(KINDS["view"])

    async def answer(self, request: Request) -> Response:
        """Answer one request; see `Drawing.asked`."""
        drawing = self.app.drawings.get(request.path_params["page"])
        asked = await self._read(request)
        if drawing is None or asked is None:
            return Response(status_code=404 if drawing is None else 400)
        lang, session = language_of(str(asked["lang"])), str(asked["session"])
        try:
            hurried = self.app.line.hurried(session)
            require(hurried is None, hurried)
            async with self.turns.turn(session):
                if await request.is_disconnected():  # nobody waits for it any more
                    return Response(status_code=400)
                draw = guarded(drawing.asked, self.app)
                found = await run_in_threadpool(draw, **asked["drawing"], lang=lang)
        except UserError as error:
            found = {"said": self.app.said(error, lang)}
        except gr.Error as error:  # of `guarded`, in the reader's language
            found = {"said": error.message}
        return Response(json.dumps(found), media_type="application/json")

    async def _read(self, request: Request) -> dict | None:
        """Return what is asked, or None where it is too long or not what draw.js sends."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST:
                return None
        try:
            asked = json.loads(body)
            drawing = {name: asked[name] for name in ("settings", "chosen", "kept")}
            return {"drawing": drawing, "lang": asked["lang"], "session": asked["session"]}
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
