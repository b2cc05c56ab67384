"""What goes wrong between here and the Hub, as one clear error message with no token in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hf_llm.config import UserError, require
from hf_llm.hub.client import HubSilent

SYSTEM_ERROR = re.compile(r"([^:]*) \(os error \d+\)")
SHORTEST_TOKEN = 8  # or the message would lose ordinary words
TOKEN = re.compile(r"hf_[\w.-]{8,}")


@contextmanager
def hub_errors(failure: str, retry: str) -> Iterator[None]:
    """Turn whatever goes wrong between here and the Hub into one `UserError`.

    Args:
        failure: What did not happen: "runs/verdict was not pushed to me/verdict".
        retry: The command to give again.

    Raises:
        UserError: For any exception in the body; one that is a `UserError` already stays what it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the client, its HTTP library, Xet and a malformed answer each raise their own
        raise UserError(f"{failure}: {without_token(reason(error))}; the command to try again: {retry}") from None


def reason(error: BaseException) -> str:
    """Return why a request failed, for a person to read."""
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    for cause in causes:
        for kind, explanation in _EXPLANATIONS.items():
            if isinstance(cause, kind):
                return explanation
        if isinstance(cause, HubSilent):
            return str(cause)
        if isinstance(cause, HfHubHTTPError):
            return _refusal(cause)
        if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
            return f"the Hub at {constants.ENDPOINT} cannot be reached ({_first_line(cause)})"
        if isinstance(cause, httpx2.TransportError):
            return f"the connection to the Hub at {constants.ENDPOINT} broke ({_first_line(cause)})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.strerror} ({cause.filename})" if cause.filename else cause.strerror
        if found := SYSTEM_ERROR.search(str(cause)):  # Xet's library has one class for all
            return found[1].strip()
    return f"the transfer failed ({_first_line(error)})"


_EXPLANATIONS = {
    OfflineModeIsEnabled: "HF_HUB_OFFLINE is set, so the Hub is not asked",
    GatedRepoError: "it is gated; accept its terms on its page, then log in with: hf auth login",
    RepositoryNotFoundError: "there is no such repository, or this token may not see it (hf auth login)",
    RevisionNotFoundError: "there is no such branch, tag or commit",
}


def _refusal(error: HfHubHTTPError) -> str:
    status = error.response.status_code
    detail = f" ({_first_line(error.server_message)})" if error.server_message else ""
    if status == 401:
        return f"the Hub does not accept the token, it may have expired; log in again with: hf auth login{detail}"
    if status == 403:
        return f"the token does not allow this; take one with write permission for it{detail}"
    if status == 429:
        return "the Hub got too many requests and asks to wait a while"
    if status >= 500:
        return f"the Hub has a fault of its own (status {status})"
    return f"the Hub refused with status {status}{detail}"


def own_token() -> str | None:
    """Return the token that the client sends; None without one, or where it cannot be had (it may be a web login)."""
    try:
        return get_token()
    except Exception:  # the refresh of a web login raises what the client raises
        return None


def require_token(failure: str) -> None:
    """Raise a `UserError` that begins with what did not happen, unless there is a token to write with."""
    require(
        own_token() is not None,
        f"{failure}: there is no token of the Hub here; log in with hf auth login, or set HF_TOKEN",
    )


def without_token(text: str) -> str:
    """Take out of a text what is, or looks like, a token: a Hub may repeat in its answer what it was sent."""
    token = own_token() or ""
    return TOKEN.sub("hf_…", text.replace(token, "hf_…") if len(token) >= SHORTEST_TOKEN else text)


def _first_line(message) -> str:
    lines = str(message).strip().splitlines()
    return lines[0][:200].rstrip(".:") if lines else type(message).__name__
