"""The fake Hub's HTTP: requests in, answers out, and what can go wrong in between."""

import re
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fake_hub.messages import Answer, Refused

if TYPE_CHECKING:
    from fake_hub.server import HubServer


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose method and path fit.

    Attributes:
        kind: `status`: the answer is an error. `drop`: the connection breaks at byte `at`, of what is uploaded, else
            of the answer's body. `truncate`: the answer is whole but ends at byte `at`. `corrupt`: byte `at` is another
            one. `lose`: the request is carried out and the connection breaks before the answer. `hang`: no answer
            for `at` seconds. `stale`: somebody else commits to each branch before. `expire`, `forbid`: all tokens are
            no longer valid, or may no longer write.
        path: A regular expression that is searched for in the path.
    """

    kind: str
    method: str
    path: str
    at: int = 0
    status: int = 500
    times: int = 1

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method == method and re.search(self.path, path) is not None


class Listener(ThreadingHTTPServer):
    """A port of the Hub, any free one, whose requests `answer` answers."""

    daemon_threads = True

    def __init__(self, hub: "HubServer", answer: Callable[..., Answer]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub, self.answer = hub, answer

    def handle_error(self, request, client_address):
        """Clients that break off are what these tests are about; a bug of this server must be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for an acknowledgement

    def handle_any(self) -> None:
        hub = self.server.hub
        self.requests = hub.requests  # a request that hangs is of the test that made it, when the next one has begun
        fault = hub.next_fault(self.command, self.path)
        kind, at = (fault.kind, fault.at) if fault else (None, 0)
        uploads = self.command in ("POST", "PUT")
        body = self._body(at if kind == "drop" and uploads else None)
        if body is None or kind == "hang":
            time.sleep(at if kind == "hang" else 0)
            return self._break(0)
        if kind == "corrupt" and uploads:
            body = _corrupted(body, at)
        with hub.lock:
            try:
                if kind == "status":
                    raise Refused(fault.status, "this is a test")
                answer = self._answer(dict(self.headers), body, spoilt=kind == "corrupt")
            except Refused as no:
                message = no.message + (f" ({self.headers.get('Authorization')})" if hub.repeats_tokens else "")
                answer = Answer.of_json({"error": message}, no.status)
                answer.headers |= {"X-Error-Message": message, **({"X-Error-Code": no.code} if no.code else {})}
            if not uploads:
                if kind == "corrupt":
                    answer.body = _corrupted(answer.body, at)
                elif kind == "truncate":
                    answer.body = answer.body[:at]
            self.requests.append((self.command, urlsplit(self.path).path, answer.status))
        if kind == "lose":
            return self._break(answer.status)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if kind == "drop" and not uploads:
            self.wfile.write(answer.body[:at])
            return self._break(answer.status)
        self.wfile.write(answer.body)
        return None

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _answer(self, headers: dict[str, str], body: bytes, spoilt: bool) -> Answer:
        try:
            return self.server.answer(self.server.hub, self.command, self.path, headers, body)
        except (ValueError, KeyError, TypeError, IndexError, struct.error):
            if spoilt:
                raise Refused(400, "The request is malformed.") from None
            raise

    def _body(self, limit: int | None) -> bytes | None:
        """Return the request's body; None where the connection is to break after `limit` bytes of it."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
                if limit is not None and len(body) >= limit:
                    return None
            self.rfile.readline()
            return body if limit is None else None
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length if limit is None else min(limit, length))
        return body if limit is None else None

    def _break(self, status: int) -> None:
        if not status:
            self.requests.append((self.command, urlsplit(self.path).path, 0))
        self.close_connection = True

    def log_message(self, *_) -> None:
        """A test that wants to know looks at `requests`."""


def _corrupted(body: bytes, at: int) -> bytes:
    if not body:
        return body
    at %= len(body)
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
