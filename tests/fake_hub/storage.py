"""The storage behind the fake Hub, another host to its clients: large files, over LFS and over Xet."""

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fake_hub.messages import Answer, Refused
from fake_hub.repositories import File

if TYPE_CHECKING:
    from fake_hub.server import HubServer


def answer_storage(hub: "HubServer", method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    """Answer a request to the storage: large files by LFS and by Xet.

    Raises:
        Refused: When there is no such content, or what was sent is not what its name says.
    """
    path = urlsplit(target).path
    sent = headers.get("authorization", headers.get("Authorization", ""))
    if any(token in sent for token in hub.tokens):
        hub.leaks.append(path)
    kind, name = path.rsplit("/", 1)
    if (method, kind) == ("PUT", "/objects"):
        if hashlib.sha256(body).hexdigest() != name:
            raise Refused(400, "The SHA-256 you specified did not match what we received.")
        hub.objects[name] = body
        return Answer()
    if method == "GET" and kind in ("/objects", "/xorbs"):
        return _range(hub.content(File.large(name, 0)) if kind == "/objects" else hub.xet.xorbs[name], headers)
    if kind.startswith("/v1") and sent != f"Bearer {hub.xet_token}":
        raise Refused(401, "Invalid Xet token")
    if (method, kind) == ("POST", "/v1/xorbs/default"):
        hub.xet.xorbs[name] = body
        return Answer.of_json({"was_inserted": True})
    if (method, path) == ("POST", "/v1/shards"):
        hub.xet.add_shard(body)
        return Answer.of_json({"result": 1})
    if (method, kind) == ("GET", "/v1/reconstructions"):
        return Answer.of_json(hub.xet.reconstruction(name, f"{hub.storage_url}/xorbs"))
    raise Refused(404, "Not found")  # among others the newer requests of Xet, without which hf_xet does


def _range(content: bytes, headers: dict[str, str]) -> Answer:
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", headers.get("Range", "")))
    if wanted is None:
        return Answer(200, content, {"Accept-Ranges": "bytes"})
    first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
    if first > last:
        raise Refused(416, "Requested range not satisfiable")
    return Answer(206, content[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(content)}"})
