"""A Hub that can be made to fail, in a process of its own: over HTTP it does as the Hub, and on request it fails."""

import base64
import json
import subprocess
import sys
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would not reach this machine


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next `times` requests whose method and path fit: `kind` at byte `at`, or a `status`.

    The server documents the kinds (tests/fake_hub/listener.py); `path` is a regular expression that is searched for.
    """

    kind: str
    method: str
    path: str
    at: int = 0
    status: int = 500
    times: int = 1


class FaultyHub:
    """A context manager that starts `server`, which Python runs, and ends it.

    The server prints `export NAME=value` for each variable that its clients need, the address of its control among
    them, then an empty line: they are the `environment`.
    """

    def __init__(self, server: Path):
        self.server = server

    def __enter__(self) -> "FaultyHub":
        self._process = subprocess.Popen([sys.executable, str(self.server)], stdout=subprocess.PIPE, text=True)
        self.environment = {}
        while line := self._process.stdout.readline().strip():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value
        self._control = self.environment["FAKE_HUB_CONTROL"]
        return self

    def __exit__(self, *error) -> None:
        self._process.kill()
        self._process.wait()

    def contents(self, name: str) -> dict[str, bytes]:
        """Return the files of a repository's main branch; none of a repository that is not there."""
        return {path: base64.b64decode(content) for path, content in self.ask("contents", name=name).items()}

    def create(self, name: str, files: dict[str, bytes]) -> None:
        self.ask("create", name=name, files={path: base64.b64encode(each).decode() for path, each in files.items()})

    def fail(self, fault: Fault) -> None:
        """Arrange for a fault."""
        self.ask("fail", **asdict(fault))

    def ask(self, action: str, **arguments):
        """Have the server's control do something, and return its answer."""
        request = urllib.request.Request(f"{self._control}/{action}", json.dumps(arguments).encode())
        with LOCAL.open(request) as answer:
            return json.load(answer)
