"""Links of a teacher: which controls of a page are locked or hidden, signed, so that an edited link opens nothing.

    ?text=O+gato&layer=1&lock=text+layer&hide=head&sign=…

The signature holds for the page and for all that a link asks it for. Who takes all of it away has the page as anybody
finds it; a link cannot keep that.
"""

import base64
import hmac
import json
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, urlencode, urlsplit

SECRET = "HF_LLM_LINK_SECRET"  # environment variable: with it, links go on to hold when the app is started anew
LOCK, HIDE, SIGN = "lock", "hide", "sign"
FREE = ("run", SIGN)  # what may be changed in a link: a page puts the training that it started into its address


@dataclass(frozen=True)
class Link:
    """What the query of an address asks a page for.

    Args:
        asked: {name of a control: its value}.
        locked: Names of controls that cannot be changed; those that are hidden are among them.
        hidden: Names of controls that are not shown.
        changed: Whether the link was signed once and is not what was signed; then it asks for nothing.
    """

    asked: dict[str, str]
    locked: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    changed: bool = False


def read_link(page: str, query: str, names: Collection[str]) -> Link:
    """Return what a query asks the page called `page` for, whose controls have these `names`."""
    asked = _values(query, names)
    if not {LOCK, HIDE, SIGN} & set(asked):
        return Link(asked)
    if not hmac.compare_digest(asked.get(SIGN, "").encode(), _signature(page, asked).encode()):
        return Link({}, changed=True)
    locked, hidden = (frozenset(asked.pop(name, "").split()) for name in (LOCK, HIDE))
    return Link(asked, locked | hidden, hidden)


def signed_link(page: str, address: str, lock: Collection[str], hide: Collection[str], names: Collection[str]) -> str:
    """Return an address of the page called `page` with the names of what is locked and hidden, and the signature."""
    parts = urlsplit(address)
    kept = {name: given[0] for name, given in parse_qs(parts.query).items() if name not in (LOCK, HIDE, SIGN)}
    kept |= {name: " ".join(chosen) for name, chosen in ((LOCK, lock), (HIDE, hide)) if chosen}
    sign = _signature(page, _values(urlencode(kept), names))
    return parts._replace(query=urlencode(kept | {SIGN: sign})).geturl()


def _values(query: str, names: Collection[str]) -> dict[str, str]:
    values = parse_qs(query.lstrip("?"), keep_blank_values=True)
    return {name: given[0] for name, given in values.items() if name in {*names, LOCK, HIDE, SIGN}}


def _signature(page: str, asked: dict[str, str]) -> str:
    held = sorted((name, value) for name, value in asked.items() if name not in FREE)
    said = json.dumps([page, held]).encode("ascii")  # one text for each page and values, whatever is in them
    return base64.urlsafe_b64encode(hmac.digest(_secret(), said, "sha256")[:18]).decode("ascii")


@cache
def _secret() -> bytes:
    given = os.environ.get(SECRET, "")
    return given.encode() if given else secrets.token_bytes(32)
