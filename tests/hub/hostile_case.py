"""A hostile repository: what it holds, who sets it off, and what a pull says to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

CANARY = "canary"  # the file that goes off, beside the folders of the test


@dataclass(frozen=True)
class Case:
    """A hostile repository.

    Attributes:
        name: For people.
        files: (a good model's files, path of the canary) → what the repository holds.
        victim: A function of hostile_victims.py that sets it off; None where writing its names does.
        refusal: A part of the sentence that a pull ends with; None where it leaves the bad file on the Hub.
        words: Further words of the pull; {commit} stands for the commit that was read.
        fires: Of what a naive pull and the victim print, whether it went off; else the canary is looked for.
        windows: Names are taken as Windows would.
        tweak: What else is to be done with the Hub.
    """

    name: str
    files: Callable[[dict, str], dict[str, bytes]]
    victim: str | None = None
    refusal: str | None = None
    words: tuple[str, ...] = ()
    fires: Callable[[str], bool] | None = None
    windows: bool = False
    tweak: Callable = lambda hub, canary: None


def code(canary: str, rest: str = "") -> bytes:
    return f"open({canary!r}, 'w').close()\n{rest}".encode()


def settings(model: dict, name: str, **changes) -> dict:
    """Return the model with other settings."""
    return model | {name: json.dumps({**json.loads(model.get(name, b"{}")), **changes}).encode()}


def without(model: dict, *names: str) -> dict:
    return {name: content for name, content in model.items() if name not in names}
