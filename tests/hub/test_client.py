"""What holds for each request to the Hub: a limit of time, and the token for the Hub alone."""

import httpx2
import pytest
from huggingface_hub.utils import http_backoff

from hf_llm.config import UserError
from hf_llm.hub import client
from hf_llm.hub.client import LONGEST_READ, LONGEST_WRITE
from hf_llm.hub.failures import hub_errors


def client_of(answer, monkeypatch) -> httpx2.Client:
    """Return our client with a transport that answers as `answer` does."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://hub")
    made = client._client()
    made._transport = httpx2.MockTransport(answer)
    return made


def test_no_request_waits_forever(monkeypatch):
    """Some of the library's requests say `timeout=None`, which is no limit at all."""
    seen = []
    with client_of(lambda request: seen.append(request) or httpx2.Response(200), monkeypatch) as ours:
        for method, limit in (("GET", None), ("POST", None), ("GET", 5.0)):
            ours.request(method, "http://hub/", timeout=limit)
    for request, limit in zip(seen, (LONGEST_READ, LONGEST_WRITE, 5.0), strict=True):
        assert set(request.extensions["timeout"].values()) == {limit}


def test_the_token_goes_to_no_other_host(monkeypatch):
    seen = {}
    with client_of(
        lambda request: seen.update({str(request.url): request}) or httpx2.Response(200), monkeypatch
    ) as ours:
        for address in ("http://hub/api", "http://hub:99/api", "https://hub/api", "http://other/api"):
            ours.get(address, headers={"authorization": "Bearer hf_abc"})
    assert [address for address, request in seen.items() if "authorization" in request.headers] == ["http://hub/api"]


def test_a_listing_that_does_not_end_is_left(monkeypatch):
    with client_of(lambda request: httpx2.Response(200), monkeypatch) as ours:
        for page in range(client.MOST_PAGES):
            ours.get(f"http://hub/api/models/me/a/tree/main?cursor={page}")
        ours.get("http://hub/api/models/me/b/tree/main")  # another one begins
        with pytest.raises(UserError, match="does not end"):
            ours.get("http://hub/api/models/me/a/tree/main?cursor=x")


def test_a_hub_that_takes_a_request_and_says_nothing_is_asked_once(monkeypatch):
    asked = []

    def silent(request):
        asked.append(request)
        raise httpx2.ReadTimeout("timed out", request=request)

    with client_of(silent, monkeypatch) as ours:
        monkeypatch.setattr("huggingface_hub.utils._http.get_session", lambda: ours)
        sentence = "^nothing happened: the Hub at http://hub does not answer; the command to try again: again$"
        with pytest.raises(UserError, match=sentence), hub_errors("nothing happened", "again"):
            http_backoff("GET", "http://hub/api")
    assert len(asked) == 1
