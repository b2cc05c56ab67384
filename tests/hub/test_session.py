"""Requests have a time limit, errors become words, and no token is in them."""

import errno
import json

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.utils import http_backoff

from hf_llm.config import UserError
from hf_llm.hub import session
from hf_llm.hub.config import PullConfig, PushConfig
from hf_llm.hub.push import push
from hf_llm.hub.session import LONGEST_LOOK, LONGEST_SILENCE, hub_errors, reason, without_token


def test_no_request_waits_forever(monkeypatch):
    """Some of the library's requests say `timeout=None`, which is no limit at all."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    seen = []
    with session._client() as client:
        client._transport = httpx2.MockTransport(lambda request: seen.append(request) or httpx2.Response(200))
        for method, limit in (("GET", None), ("POST", None), ("GET", 5.0)):
            client.request(method, "http://hub/", timeout=limit)
    for request, limit in zip(seen, (LONGEST_LOOK, LONGEST_SILENCE, 5.0), strict=True):
        assert set(request.extensions["timeout"].values()) == {limit}


def client_of(answer, monkeypatch) -> httpx2.Client:
    """Return our client with a transport that answers as `answer` does."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://hub")
    client = session._client()
    client._transport = httpx2.MockTransport(answer)
    return client


def test_the_token_goes_to_no_other_host(monkeypatch):
    seen = {}
    with client_of(
        lambda request: seen.update({str(request.url): request}) or httpx2.Response(200), monkeypatch
    ) as client:
        for address in ("http://hub/api", "http://hub:99/api", "https://hub/api", "http://other/api"):
            client.get(address, headers={"authorization": "Bearer hf_abc"})
    assert [address for address, request in seen.items() if "authorization" in request.headers] == ["http://hub/api"]


def test_a_listing_that_does_not_end_is_left(monkeypatch):
    with client_of(lambda request: httpx2.Response(200), monkeypatch) as client:
        for page in range(session.MOST_PAGES):
            client.get(f"http://hub/api/models/me/a/tree/main?cursor={page}")
        client.get("http://hub/api/models/me/b/tree/main")  # another one begins
        with pytest.raises(UserError, match="does not end"):
            client.get("http://hub/api/models/me/a/tree/main?cursor=x")


def test_a_hub_that_takes_a_request_and_says_nothing_is_asked_once(monkeypatch):
    asked = []

    def silent(request):
        asked.append(request)
        raise httpx2.ReadTimeout("timed out", request=request)

    with client_of(silent, monkeypatch) as client:
        monkeypatch.setattr("huggingface_hub.utils._http.get_session", lambda: client)
        sentence = "^nothing happened: the Hub at http://hub does not answer; the command to try again: again$"
        with pytest.raises(UserError, match=sentence), hub_errors("nothing happened", "again"):
            http_backoff("GET", "http://hub/api")
    assert len(asked) == 1


def refusal(status: int, **answer) -> HfHubHTTPError:
    request = httpx2.Request("GET", "http://hub/api")
    return HfHubHTTPError("no", response=httpx2.Response(status, request=request), **answer)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx2.ConnectError("refused"), "cannot be reached (refused)"),
        (httpx2.ReadTimeout("The read operation timed out"), "broke (The read operation timed out)"),
        (refusal(401), "log in again with: hf auth login"),
        (refusal(403, server_message="not yours"), "write permission for it (not yours)"),
        (refusal(429), "asks to wait"),
        (refusal(503), "a fault of its own (status 503)"),
        (refusal(418, server_message="a teapot\nindeed"), "refused with status 418 (a teapot)"),
        (OfflineModeIsEnabled("offline"), "HF_HUB_OFFLINE is set"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (RuntimeError("Task error: IO Error: No space left on device (os error 28)"), "No space left on device"),
        (caused(LocalEntryNotFoundError("where?"), refusal(500)), "a fault of its own (status 500)"),
        (caused(RuntimeError("Error while uploading"), httpx2.WriteError("gone")), "broke (gone)"),
        (json.JSONDecodeError("Expecting value", "", 0), "the transfer failed (Expecting value"),
        (KeyError("sha"), "the transfer failed ('sha')"),
        (ValueError(""), "the transfer failed (ValueError)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_reason_in_words(error, words):
    assert words in reason(error)


def test_a_sentence_stays_what_it_is_and_anything_else_becomes_one_without_its_trace():
    with pytest.raises(UserError, match=r"^mine$"), hub_errors("nothing happened", "again"):
        raise UserError("mine")
    sentence = r"^nothing happened: .*; the command to try again: again$"
    with pytest.raises(UserError, match=sentence) as raised, hub_errors("nothing happened", "again"):
        raise KeyError("hf_0123456789")
    assert "hf_…" in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__  # what a traceback would show, token and all


def test_tokens_are_taken_out(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "of-another-form")
    assert without_token("Bearer hf_abcdefghijkl, of-another-form.") == "Bearer hf_…, hf_…."
    assert without_token("half_a_token hf_x") == "half_a_token hf_x"


def test_the_command_to_try_again_is_the_one_that_was_given():
    config = PushConfig(run="my runs/verdict", repo_id="me/verdict", private=True, revision="dev")
    assert config.command == "python scripts/hub.py push 'my runs/verdict' me/verdict --private --revision dev"
    config_of_a_pull = PullConfig(repo_id="me/verdict", dir="runs/pulled", max_gigabytes=50)
    assert config_of_a_pull.command == "python scripts/hub.py pull me/verdict runs/pulled --max_gigabytes 50"
    with pytest.raises(UserError, match="there is no folder"):
        push(config)
