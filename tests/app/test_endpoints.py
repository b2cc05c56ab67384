"""The public endpoints as their clients meet them: stable names, hostile texts, clear errors, no tracebacks."""

import json

import httpx
import pytest
from gradio_client import Client
from hostile_texts import HOSTILE, MEGABYTE

CALLS = {
    "/tokenize": lambda text: [text, ["story"]],
    "/train_bpe": lambda text: [text, 300],
    "/generate": lambda text, model="story": [text, model, 3, True, 1.0, 0, 1.0, 1.0, 0],
    "/next_token": lambda text, model="story": [text, model, 5, True, 1.0, 0, 1.0, 1.0],
    "/inspect": lambda text, model="story": [text, model, 0, 0, -1, -1],
    "/logit_lens": lambda text, model="story": [text, model, 5],
    "/classify_digit": lambda text: [text, "mlp"],
    "/discuss": lambda text: [text, "en"],
}
NAMES_ONLY = {"/classify_digit", "/discuss"}  # these take a picture or a name, so that any other text is refused


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


def call(server: str, name: str, data: list) -> tuple[str, str]:
    """Return the last event of a call and its data, as they come over the wire."""
    body = json.dumps({"data": data})  # ASCII: a lone surrogate stays an escape
    joined = httpx.post(
        f"{server}gradio_api/call{name}", content=body, headers={"content-type": "application/json"}, timeout=60
    )
    if joined.status_code != 200:
        return f"status {joined.status_code}", joined.text
    address = f"{server}gradio_api/call{name}/{joined.json()['event_id']}"
    lines = httpx.get(address, timeout=60).text.strip().splitlines()
    return lines[-2].removeprefix("event: "), lines[-1].removeprefix("data: ")


def test_the_public_names_are_these_and_no_other(client):
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_answered_or_refused(server, name, text):
    event, data = call(server, name, CALLS[name](text))
    assert event == ("error" if name in NAMES_ONLY else "complete"), data
    assert "Traceback" not in data
    if event == "error":
        assert len(json.loads(data)["error"] or "") > 10


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("text", ["", "a\ud800b", MEGABYTE], ids=["empty", "lone surrogate", "a megabyte"])
def test_an_impossible_text_gets_a_clear_error(server, name, text):
    event, data = call(server, name, CALLS[name](text))
    assert event in ("complete", "error"), data
    if event == "error":
        assert "Traceback" not in data
        assert len(json.loads(data)["error"] or "") > 10, "an error without a message"
    else:
        assert text == "", "only an empty text may have an answer: the beginning of a document"


@pytest.mark.parametrize("name", ["/generate", "/next_token", "/inspect", "/logit_lens"])
@pytest.mark.parametrize("model", ["", "../../etc", "/etc", "no/such", "story/../story"])
def test_only_models_of_the_list_can_be_named(server, name, model):
    event, data = call(server, name, CALLS[name]("abc", model))
    assert event == "error"
    assert "no model" in json.loads(data)["error"]


def test_everything_but_the_text_has_a_default(client):
    assert client.predict("abc", api_name="/tokenize")[0]["tokenizer"] == "story"
    assert client.predict("abc abc", api_name="/train_bpe")[0]["pair"]
    assert isinstance(client.predict("abc", api_name="/generate"), str)
    assert client.predict("abc", api_name="/next_token")[0].keys() >= {"id", "token"}
    assert client.predict("abc", api_name="/inspect")["model"] == "story"
    assert client.predict("abc", api_name="/logit_lens")["model"] == "story"


def test_the_text_comes_back_as_text(client):
    for text in HOSTILE.values():
        (encoding,) = client.predict(text, ["story"], api_name="/tokenize")
        content = bytes.fromhex("".join(token["bytes"] for token in encoding["tokens"]).replace(" ", ""))
        assert content.decode("utf-8") == text
