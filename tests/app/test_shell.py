"""What lies around the pages: language script and headers."""

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hf_llm.app.server.shell import HEADERS, Shell


async def page(request):
    return HTMLResponse("<html><head></head><body>ação</body></html>")


async def plain(request):
    return PlainTextResponse("<head>")


inner = Starlette(routes=[Route("/", page), Route("/plain", plain)])


def test_a_page_gets_the_language_script_and_says_its_new_length():
    answer = TestClient(Shell(inner, ["home", "tokenizer"])).get("/")
    assert answer.text.startswith("<html><head><script>")
    assert "Tokenizador" in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_other_answers_stay_as_they_are():
    assert TestClient(Shell(inner, ["home"])).get("/plain").text == "<head>"


@pytest.mark.parametrize("path", ["/", "/plain", "/nowhere"])
def test_every_answer_has_the_headers(path):
    answer = TestClient(Shell(inner, ["home"])).get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
