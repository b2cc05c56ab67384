"""The fake Hub for a harness in another process: what a test does with the object is asked for over HTTP.

A request is `POST /<function below>` with its keyword arguments as JSON; the answer is what it returns.
"""

import base64
import json
from typing import TYPE_CHECKING

from fake_hub.listener import Fault
from fake_hub.messages import Answer

if TYPE_CHECKING:
    from fake_hub.server import HubServer


def answer_control(hub: "HubServer", method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    return Answer.of_json(CONTROLS[target.removeprefix("/")](hub, **json.loads(body)))


def clear(hub: "HubServer") -> None:
    hub.clear()


def create(hub: "HubServer", name: str, files: dict[str, str]) -> None:
    """Make a repository of files, their contents in base64."""
    hub.create(name, {path: base64.b64decode(content) for path, content in files.items()})


def contents(hub: "HubServer", name: str) -> dict[str, str]:
    """Return the files of main, in base64; none of a repository that is not there."""
    if ("model", name) not in hub.repositories:
        return {}
    files = hub.repository(name).files()
    return {path: base64.b64encode(hub.content(file)).decode() for path, file in files.items()}


def titles(hub: "HubServer", name: str) -> list[str]:
    """Return the titles of all commits."""
    return [commit.title for commit in hub.repository(name).commits.values()]


def fail(hub: "HubServer", **fault) -> None:
    """Arrange for a fault."""
    hub.faults.append(Fault(**fault))


def times_left(hub: "HubServer") -> list[int]:
    """Return how often each fault that was arranged is still to happen."""
    return [fault.times for fault in hub.faults]


def mend(hub: "HubServer") -> None:
    """Let nothing more go wrong."""
    hub.faults.clear()
    hub.restore_tokens()


def keep(hub: "HubServer", name: str) -> None:
    """Remember all that the Hub holds, under a name."""
    hub.kept[name] = hub.repositories, hub.objects, hub.xet


def restore(hub: "HubServer", name: str) -> None:
    """Hold what was kept, and nothing else."""
    hub.clear()
    hub.repositories, hub.objects, hub.xet = hub.kept[name]


CONTROLS = {
    function.__name__: function for function in (clear, create, contents, titles, fail, times_left, mend, keep, restore)
}
