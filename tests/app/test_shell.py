"""What lies around the pages: language script, headers, the limit by address."""

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hf_llm.app.server.rate_limit import ADDRESSES, RateLimit
from hf_llm.app.server.shell import HEADERS, Shell

JOIN = "/gradio_api/queue/join"


async def page(request):
    return HTMLResponse("<html><head></head><body>ação</body></html>")


async def plain(request):
    return PlainTextResponse("<head>")


inner = Starlette(routes=[Route("/", page), Route("/plain", plain), Route(JOIN, plain, methods=["POST"])])


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


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_limit_refuses_and_forgets_after_a_minute():
    clock = Clock()
    client = TestClient(RateLimit(inner, calls=2, clock=clock))
    assert [client.post(JOIN).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/").status_code == 200  # pages do not count
    clock.now = 61.0
    assert client.post(JOIN).status_code == 200


def test_addresses_do_not_share_the_limit():
    limited = RateLimit(inner, calls=1)
    first, second = (TestClient(limited, client=(address, 1)) for address in ("10.0.0.1", "10.0.0.2"))
    assert [first.post(JOIN).status_code, first.post(JOIN).status_code, second.post(JOIN).status_code] == [
        200,
        429,
        200,
    ]


def test_a_forged_address_helps_only_behind_a_proxy_and_only_its_last_part_counts():
    open_one = TestClient(RateLimit(inner, calls=1))
    assert [
        open_one.post(JOIN, headers={"x-forwarded-for": address}).status_code for address in ("1.1.1.1", "2.2.2.2")
    ] == [200, 429]
    proxied = TestClient(RateLimit(inner, calls=1, behind_proxy=True))
    assert [
        proxied.post(JOIN, headers={"x-forwarded-for": address}).status_code
        for address in ("9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1", "1.1.1.1, 2.2.2.2")
    ] == [200, 429, 200]


def test_many_addresses_do_not_fill_the_memory():
    limited = RateLimit(inner, calls=1)
    for number in range(ADDRESSES + 50):
        limited._allows(str(number))
    assert len(limited._times) == ADDRESSES
