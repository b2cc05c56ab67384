"""The Hub's client: no request waits forever or takes the token elsewhere, and what a repository holds at a commit."""

import hashlib
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import logging
from huggingface_hub.utils._http import default_client_factory

from hf_llm.config import require
from hf_llm.hub.config import COMMIT

FIRST_ANSWER = 10.0  # seconds that a Hub has to show that it is there
LONGEST_READ = 30.0  # seconds, for an answer that only reads
LONGEST_WRITE = 120.0  # seconds: a commit of many files takes its time
MOST_PAGES = 100  # of a listing, a thousand files each
MOST_LISTED = 10_000  # files; a model has some dozens


def connect() -> HfApi:
    """Return the Hub's client. The token is the one of `HF_TOKEN` or `hf auth login`, never an argument."""
    set_client_factory(_client)
    if not constants.HF_DEBUG:
        logging.set_verbosity_error()  # nothing about its retries: we report the outcome
    return HfApi(library_name="hf_llm")


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub lists it.

    Attributes:
        size: In bytes.
        sha256: Of the content, for a file in large file storage (LFS, Xet).
        blob_id: Git's hash of the content, for any other.
    """

    path: str
    size: int
    sha256: str | None
    blob_id: str

    def is_same(self, content: bytes | Path) -> bool:
        """Whether the content, or that of the file, has this size and hash."""
        with io.BytesIO(content) if isinstance(content, bytes) else open(content, "rb") as file:
            size = file.seek(0, io.SEEK_END)
            if size != self.size:
                return False
            file.seek(0)
            if self.sha256:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
            digest = hashlib.sha1(b"blob %d\0" % size)
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest() == self.blob_id


def files_at(api: HfApi, repo_id: str, commit: str, repo_type: str = "model") -> dict[str, RemoteFile]:
    """Return {path: file} of a repository at a commit.

    Raises:
        UserError: When there are more files than any model has.
        Exception: What the client raises when it cannot ask.
    """
    require(COMMIT.fullmatch(commit) is not None, f"the Hub gave {commit!r} as a commit of {repo_id}, which is none")
    files = {}
    for number, entry in enumerate(api.list_repo_tree(repo_id, recursive=True, revision=commit, repo_type=repo_type)):
        require(number < MOST_LISTED, f"{repo_id} holds more than {MOST_LISTED:,} files, which no model does")
        if isinstance(entry, RepoFile):
            size, sha256 = (entry.lfs.size, entry.lfs.sha256) if entry.lfs else (entry.size, None)
            files[str(entry.path)] = RemoteFile(str(entry.path), int(size), sha256, entry.blob_id)
    return files


class HubSilent(Exception):
    """The Hub accepted a request and did not answer it."""


def _client() -> httpx2.Client:
    client = default_client_factory()
    guards = [_limit_time, _keep_the_token_at_home, _limit_pages(Counter())]
    client.event_hooks = {"request": [*client.event_hooks["request"], *guards]}
    client.send = partial(_send_once, client.send)
    return client


def _send_once(send: Callable, request: httpx2.Request, **options) -> httpx2.Response:
    """Send a request; a Hub that does not answer is not asked five times more, as the library would."""
    try:
        return send(request, **options)
    except httpx2.TimeoutException as error:
        if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
            raise
        raise HubSilent(f"the Hub at {constants.ENDPOINT} does not answer") from error


def _limit_time(request: httpx2.Request) -> None:
    """Give a request the limits that it lacks: some of the library's wait forever for a Hub that does not answer."""
    longest = LONGEST_READ if request.method in ("GET", "HEAD") else LONGEST_WRITE
    limits = request.extensions.get("timeout", {})
    missing = {phase: longest for phase in ("connect", "read", "write", "pool") if limits.get(phase) is None}
    request.extensions["timeout"] = limits | missing


def _keep_the_token_at_home(request: httpx2.Request) -> None:
    """Take the token out of a request to another host, such as the next page of a listing may name."""
    home = httpx2.URL(constants.ENDPOINT)
    if (request.url.scheme, request.url.host, request.url.port) != (home.scheme, home.host, home.port):
        request.headers.pop("authorization", None)


def _limit_pages(seen: Counter) -> Callable:
    """Return a guard against a listing that always has a next page."""

    def guard(request: httpx2.Request) -> None:
        if "/tree/" in request.url.path:
            seen[request.url.path] += 1
            require(seen[request.url.path] <= MOST_PAGES, f"a listing of the Hub at {constants.ENDPOINT} does not end")

    return guard
