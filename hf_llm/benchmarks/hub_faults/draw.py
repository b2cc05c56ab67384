"""Which fault comes next: drawn by number, so that each can be drawn again."""

import random
from typing import NamedTuple

from hf_llm.benchmarks.hub_faults.hub import Fault

FOREVER = 10**9  # times
SHORT = 300  # bytes of an answer without a file in it


class Request(NamedTuple):
    """A request that a pull or a push makes; `{small}` in its path is a regular file, a `large` one moves a big one."""

    method: str
    path: str
    transport: str = "both"
    large: bool = False


PULL = (
    Request("GET", r"/api/models/me/verdict($|/revision)"),
    Request("GET", r"/tree/"),
    Request("HEAD", r"/resolve/"),
    Request("GET", r"/resolve/.*/{small}$"),
    Request("GET", r"/objects/", "lfs", large=True),
    Request("GET", r"/xet-read-token/", "xet"),
    Request("GET", r"/v1/reconstructions/", "xet"),
    Request("GET", r"/xorbs/", "xet", large=True),
)
PUSH = (
    Request("GET", r"/api/models/me/verdict($|/revision)"),
    Request("GET", r"/tree/"),
    Request("POST", r"/repos/create"),
    Request("POST", r"/validate-yaml"),
    Request("POST", r"/preupload/"),
    Request("POST", r"/commit/", large=True),
    Request("POST", r"/objects/batch", "lfs"),
    Request("PUT", r"/objects/", "lfs", large=True),
    Request("POST", r"/info/lfs/verify", "lfs"),
    Request("GET", r"/xet-write-token/", "xet"),
    Request("POST", r"/v1/xorbs/", "xet", large=True),
    Request("POST", r"/v1/shards", "xet"),
)
STATUSES = (429, 500, 503)
AT_A_BYTE = ("drop", "truncate", "corrupt")
# What can go wrong with which requests. A byte of a commit is not changed on its way: it holds no hash that the Hub
# could check, only TLS protects it, and there is none here; test_push.py shows that the push notices.
PUSH_FAULTS = {
    "drop": lambda request: True,
    "status": lambda request: True,
    "expire": lambda request: True,
    "forbid": lambda request: request.path in (r"/repos/create", r"/preupload/", r"/commit/"),
    "corrupt": lambda request: request.large and "commit" not in request.path,
    "lose": lambda request: request.method != "GET",
    "stale": lambda request: request.path in (r"/preupload/", r"/commit/"),
}
PULL_FAULTS = {
    "drop": lambda request: True,
    "status": lambda request: True,
    "expire": lambda request: request.path.startswith("/api") or "tree" in request.path or "resolve" in request.path,
    "truncate": lambda request: request.large or "{small}" in request.path,
    "corrupt": lambda request: request.large or "{small}" in request.path,
    "full disk": lambda request: True,
}


class Draw(NamedTuple):
    """A fault and the circumstances that it happens in."""

    pushes: bool  # a push meets it, else a pull
    xet: bool  # large files go by Xet, else by LFS
    fault: Fault | None  # what goes wrong with the Hub; None where it is the disk
    disk: int  # bytes of the disk that a pull writes to; 0 where there is enough
    replaces: bool  # there is another model in the repository before the push


def draw(seed: int, number: int, sizes: dict[str, int], small_disks: bool) -> Draw:
    """Draw the fault of a number for files of `sizes`, {path: bytes}; a full disk only where one can be had."""
    rng = random.Random(f"{seed} {number}")
    pushes, xet, replaces = (rng.random() < 0.5 for _ in range(3))
    faults, requests = (PUSH_FAULTS, PUSH) if pushes else (PULL_FAULTS, PULL)
    kind, total = rng.choice([kind for kind in faults if small_disks or kind != "full disk"]), sum(sizes.values())
    if kind == "full disk":
        return Draw(pushes, xet, None, 4096 * rng.randrange(1, total // 4096), replaces)
    fitting = [each for each in requests if each.transport in ("both", "xet" if xet else "lfs") and faults[kind](each)]
    # only a new repository is made
    request = rng.choice([each for each in fitting if not (replaces and "create" in each.path)])
    small = rng.choice([name for name in sizes if not name.endswith((".safetensors", ".png"))])
    size = total if request.large else sizes[small] if "{small}" in request.path else SHORT
    at = rng.randrange(size) if kind in AT_A_BYTE else 0
    once = kind in ("stale", "lose") or rng.random() < 0.5
    path = request.path.replace("{small}", small.replace(".", r"\."))
    fault = Fault(kind, request.method, path, at, rng.choice(STATUSES), 1 if once else FOREVER)
    return Draw(pushes, xet, fault, 0, replaces)
