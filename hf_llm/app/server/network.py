"""Who may ask the app for something, and for what: a door before Gradio's own addresses.

On a machine of one's own the app listens on loopback, which does not keep the web out: a page of any site may send
requests to 127.0.0.1, and one whose name is made to lead there (DNS rebinding) reads the answers too. The browser gives
both away, by the headers `Origin` and `Host`.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hf_llm.config import written
from hf_llm.texts import LANGUAGES, Translated, both

API = "/gradio_api"
# of Gradio's addresses, those that no page of the app asks for: they take files, read them, or run without the queue
UNUSED = tuple(
    f"{API}/{name}"
    for name in ("upload", "file", "run", "api", "proxy", "component_server", "stream", "deep_link", "vibe", "dev")
)
FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")  # Gradio writes links as these say
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Door:
    """ASGI middleware that lets in what the app's own pages and its API clients send, and nothing else.

    Args:
        app: What it guards.
        host: Address that the app listens on. On loopback only its own names are answered to.
        trusted: Names under which a proxy serves the app: answered to as well, and links may be written with them.
        behind_proxy: Whether all that comes in comes through a proxy that writes the headers itself, as on a Space.
    """

    def __init__(self, app: ASGIApp, host: str, trusted: Sequence[str] = (), behind_proxy: bool = False):
        self.app, self.trusted, self.behind_proxy = app, {name.lower() for name in trusted}, behind_proxy
        self.names = {*LOOPBACK, host.lower(), *self.trusted} if is_loopback(host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or (self.behind_proxy and not scope["path"].startswith(UNUSED)):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refused = self._refused(scope["type"], scope.get("method"), scope["path"], headers)
        if refused:
            said = "\n".join(refused.in_language(lang) for lang in LANGUAGES)  # there is no page that has one
            await PlainTextResponse(said, status_code=403)(scope, receive, send)
            return
        if not _name(headers.get(b"x-forwarded-host", b"")) & self.trusted:
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] not in FORWARDED]}
        await self.app(scope, receive, send)

    def _refused(self, kind: str, method: str | None, path: str, headers: dict[bytes, bytes]) -> Translated | None:
        """Return why not; None for what may come in."""
        if path.startswith(UNUSED):
            return both("app.unused_address")
        host, origin = _name(headers.get(b"host", b"")), headers.get(b"origin")
        if self.names is not None and not host & self.names:
            return both("app.foreign_host", setting=written("trusted_hosts"))
        changes = kind == "websocket" or method not in ("GET", "HEAD", "OPTIONS")
        if changes and origin is not None and not _origin(origin) & (host | self.trusted):
            return both("app.foreign_origin", setting=written("trusted_hosts"))
        return None


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: bytes) -> set[str]:
    """Return the name in a `Host` header, without its port; none where it is not written as one."""
    return _hostname(f"//{host.decode('latin-1').split(',')[0].strip()}")


def _origin(origin: bytes) -> set[str]:
    return _hostname(origin.decode("latin-1"))  # "null", of a page without an origin, has no name


def _hostname(address: str) -> set[str]:
    try:
        return {urlsplit(address).hostname} - {None}
    except ValueError:
        return set()
