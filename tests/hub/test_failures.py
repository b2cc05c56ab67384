"""What goes wrong becomes words, and no token is in them."""

import errno
import json

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from hf_llm.config import UserError
from hf_llm.hub.config import PullConfig, PushConfig
from hf_llm.hub.failures import hub_errors, reason, without_token
from hf_llm.hub.push import push


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
    assert config.command == "hf-llm hub push 'my runs/verdict' me/verdict --private --revision dev"
    config_of_a_pull = PullConfig(repo_id="me/verdict", dir="runs/pulled", max_gigabytes=50)
    assert config_of_a_pull.command == "hf-llm hub pull me/verdict runs/pulled --max_gigabytes 50"
    with pytest.raises(UserError, match="there is no folder"):
        push(config)
