"""What lies around Gradio's pages: the reader's language before anything is drawn, and security headers.

Gradio translates by `navigator.language`, which a page cannot be asked to change. A script at the very top of the HTML
therefore answers it: `?lang=` first, then what the reader chose before, then the browser, then Portuguese.
"""

import json
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hf_llm.app.config import ON_SPACE
from hf_llm.texts.catalogue import texts

LANGUAGE_SCRIPT = """<script>(() => {
  let chosen = new URLSearchParams(location.search).get("lang");
  try { chosen ? localStorage.setItem("hf_llm_lang", chosen) : chosen = localStorage.getItem("hf_llm_lang"); }
  catch { /* a browser that keeps nothing: the URL alone decides */ }
  const lang = (chosen || navigator.language || "").toLowerCase().startsWith("en") ? "en" : "pt-BR";
  Object.defineProperty(navigator, "language", { configurable: true, get: () => lang });
  Object.defineProperty(navigator, "languages", { configurable: true, get: () => [lang] });
  document.documentElement.lang = lang;
  const titles = %s;
  addEventListener("DOMContentLoaded", () => {
    const page = location.pathname.split("/").pop();
    const title = (titles[page] || titles.home)[lang] + " · hf_llm";
    // Gradio sets the title of the whole app on every page
    new MutationObserver(() => { if (document.title !== title) document.title = title; })
      .observe(document.head, { childList: true, subtree: true, characterData: true });
    document.title = title;
  });
})()</script>"""
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    # Gradio's own pages need inline scripts and eval (its templates); nothing may come from or go to another host
    "content-security-policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; form-action 'self'"
    # a Space is shown inside of a page of huggingface.co; nobody else has a reason to lay the app under his own page
    + ("" if ON_SPACE else "; frame-ancestors 'none'"),
}


def language_script(pages: Sequence[str]) -> bytes:
    """Return the script with the titles of the pages."""
    titles = {page: texts(page)["title"] for page in pages}
    return (LANGUAGE_SCRIPT % json.dumps(titles)).encode("utf-8")


class Shell:
    """ASGI middleware: adds the headers to every answer, and the script to the head of every page."""

    def __init__(self, app: ASGIApp, pages: Sequence[str]):
        self.app, self.script = app, language_script(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None  # of an HTML page, held back until its length is known
        body = bytearray()

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                message["headers"] = [
                    *message["headers"], *((name.encode(), value.encode()) for name, value in HEADERS.items()),
                ]  # fmt: skip
                page = headers.get(b"content-type", b"").startswith(b"text/html")
                if page and b"content-encoding" not in headers:
                    start = message
                    return
            elif message["type"] == "http.response.body" and start is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = bytes(body).replace(b"<head>", b"<head>" + self.script, 1)
                headers = [header for header in start["headers"] if header[0].lower() != b"content-length"]
                start["headers"] = [*headers, (b"content-length", str(len(page)).encode())]
                await send(start)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await self.app(scope, receive, answer)
