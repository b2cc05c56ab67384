"""What the fake Hub is asked, and what it answers."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_hub.server import Token


class Refused(Exception):
    """The Hub says no: an HTTP status, a message, and the Hub's own code for it where it has one."""

    def __init__(self, status: int, message: str, code: str | None = None):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass
class Answer:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value, status: int = 200) -> "Answer":
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


@dataclass
class Request:
    """A request to the Hub, with who sent it: None without a token."""

    method: str
    url: str
    query: dict[str, list[str]]
    body: bytes
    user: "Token | None"

    def json(self):
        return json.loads(self.body)

    def require_write(self, namespace: str | None) -> None:
        """Refuse a token that may not write, or not to the repositories of `namespace`; None leaves that open."""
        if self.user is None:
            raise Refused(401, "Invalid username or password.")
        if not self.user.write or namespace not in (None, self.user.user):
            raise Refused(403, f'You don\'t have the rights to write under the namespace "{namespace}"')
