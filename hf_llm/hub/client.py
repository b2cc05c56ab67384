"""The client of the Hub, with guards on each of its requests: none waits forever, or takes the token elsewhere."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import httpx2
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.utils import logging
from huggingface_hub.utils._http import default_client_factory

from hf_llm.config import require

FIRST_ANSWER = 10.0  # seconds that a Hub has to show that it is there
LONGEST_LOOK = 30.0  # seconds, for an answer that only reads
LONGEST_SILENCE = 120.0  # seconds, for one that writes: a commit of many files takes its time
MOST_PAGES = 100  # of a listing, a thousand files each


def connect() -> HfApi:
    """Return the Hub's client. The token is the one of `HF_TOKEN` or `hf auth login`, never an argument."""
    set_client_factory(_client)
    if not constants.HF_DEBUG:
        logging.set_verbosity_error()  # nothing of its retries: the outcome is told by us
    return HfApi(library_name="hf_llm")


def _client() -> httpx2.Client:
    client = default_client_factory()
    guards = [_limit_time, _keep_the_token_at_home, _limit_pages(Counter())]
    client.event_hooks = {"request": [*client.event_hooks["request"], *guards]}
    client.send = partial(_send_once, client.send)
    return client


def _send_once(send: Callable, request: httpx2.Request, **options) -> httpx2.Response:
    """Send a request; a Hub that lets one wait too long is not asked five times more, as the library would."""
    try:
        return send(request, **options)
    except httpx2.TimeoutException as error:
        if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
            raise
        raise HubSilent(f"the Hub at {constants.ENDPOINT} does not answer") from error


class HubSilent(Exception):
    """The Hub took a request and said nothing."""


def _limit_time(request: httpx2.Request) -> None:
    """Give a request the limits that it lacks: some of the library's wait forever for a Hub that says nothing."""
    longest = LONGEST_LOOK if request.method in ("GET", "HEAD") else LONGEST_SILENCE
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
