"""A limit on calls by address, because Gradio has none: one visitor's script must not take the app from a class."""

import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

CALLS = ("/gradio_api/queue/join", "/gradio_api/run/", "/gradio_api/call/", "/gradio_api/api/", "/gradio_api/upload")
ADDRESSES = 10_000  # remembered at once, so that many addresses cannot fill the memory
WINDOW = 60.0  # seconds


class RateLimit:
    """ASGI middleware that answers 429 to an address with more than `calls` in the last minute.

    Args:
        app: What it guards.
        calls: Calls a minute; pages, scripts and streams of answers do not count.
        behind_proxy: Whether the visitor's address stands in `X-Forwarded-For`, as on a Space. Elsewhere anybody
            could write that header, so it is not read.
        clock: Seconds; a test's own.
    """

    def __init__(
        self, app: ASGIApp, calls: int, behind_proxy: bool = False, clock: Callable[[], float] = time.monotonic
    ):
        self.app, self.calls, self.behind_proxy, self.clock = app, calls, behind_proxy, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counts = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(CALLS)
        if counts and not self._allows(self._address(scope)):
            body = json.dumps({"detail": f"more than {self.calls} calls a minute; wait a little and go on"}).encode()
            headers = [(b"content-type", b"application/json"), (b"retry-after", b"10")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)

    def _address(self, scope: Scope) -> str:
        if self.behind_proxy:
            forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
            if forwarded:
                return forwarded.split(",")[-1].strip()  # the last one was written by the proxy itself
        return scope["client"][0] if scope.get("client") else ""

    def _allows(self, address: str) -> bool:
        now = self.clock()
        times = self._times.setdefault(address, deque())
        self._times.move_to_end(address)
        while len(self._times) > ADDRESSES:
            self._times.popitem(last=False)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if len(times) >= self.calls:
            return False
        times.append(now)
        return True
