"""Who is let in: by the name that is asked for, from which site, for what; and what a page says about the machine."""

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.pages.inside import answers as inside
from hf_llm.app.server.build import PAGES, launch
from hf_llm.app.server.downloads import Downloads
from hf_llm.app.server.library import Library
from hf_llm.app.server.network import API, UNUSED, Door, is_loopback
from hf_llm.app.server.places import without_places
from hf_llm.app.server.trainings import Trainings
from hf_llm.runs.atomic import write_json

JOIN = f"{API}/queue/join"


async def seen(request):
    return PlainTextResponse(request.headers.get("x-forwarded-host", "none"))


inner = Starlette(routes=[Route("/", seen), Route(JOIN, seen, methods=["POST"])])


def door(host: str = "127.0.0.1", **options) -> TestClient:
    return TestClient(Door(inner, host=host, **options), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("name", ["127.0.0.1:7860", "localhost", "localhost:1", "[::1]:7860", "LOCALHOST"])
def test_on_loopback_the_names_of_this_machine_are_answered_to(name):
    assert door().get("/", headers={"host": name}).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "localhost@x"])
def test_on_loopback_no_other_name_reaches_anything(name):
    for path in ("/", "/train", "/config"):
        answer = door().get(path, headers={"host": name})
        assert answer.status_code == 403
        assert "localhost" in answer.text
        assert "trusted_hosts" in answer.text


def test_a_proxy_that_was_named_is_trusted_and_in_a_network_any_name_will_do():
    named = door(trusted=["App.example.org"])
    forwarded = {"host": "app.example.org", "x-forwarded-host": "app.example.org"}
    assert named.get("/", headers=forwarded).text == "app.example.org"
    assert named.post(JOIN, headers={**forwarded, "origin": "https://app.example.org"}).status_code == 200
    assert door("0.0.0.0").get("/", headers={"host": "192.168.0.7:7860"}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_what_anybody_may_write_into_a_header_is_not_read(host):
    forged = {"x-forwarded-host": "evil.example", "x-gradio-server": "http://evil.example"}
    assert door(host).get("/", headers=forged).text == "none"
    assert door(host, trusted=["app.example.org"]).get("/", headers=forged).text == "none"
    assert door(host, behind_proxy=True).get("/", headers=forged).text == "evil.example"  # a Space's own proxy


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example", "http://["])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_page_of_another_site_starts_nothing_here(host, origin):
    answer = door(host).post(JOIN, headers={"origin": origin})
    assert answer.status_code == 403
    assert "site" in answer.text
    assert door(host).post(JOIN, headers={"origin": "http://127.0.0.1:7860"}).status_code == 200
    assert door(host).post(JOIN).status_code == 200  # a program sends none


@pytest.mark.parametrize("path", UNUSED)
@pytest.mark.parametrize("behind_proxy", [True, False])
def test_what_no_page_uses_is_refused(path, behind_proxy):
    for method in ("GET", "POST"):
        assert door(behind_proxy=behind_proxy).request(method, path).status_code == 403


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("host", False)],
)
def test_what_is_loopback(host, alone):
    assert is_loopback(host) is alone


@pytest.fixture(scope="module")
def away(runs, tmp_path_factory):
    """The app on a folder whose name is found nowhere else, with a damaged model and a finished training."""
    folder = tmp_path_factory.mktemp("Geheimnis") / "runs"
    shutil.copytree(runs, folder)
    shutil.copytree(runs / "story", folder / "damaged")
    (folder / "damaged" / "model.safetensors").write_bytes(b"no tensors")
    shutil.copytree(runs / "story", folder / "page" / "gpt2-abcdef")
    (folder / "page" / ".inputs" / "gpt2-abcdef").mkdir(parents=True)
    record = {"command": ["pretrain"], "state": "running", "seconds": 12.0}
    write_json(folder / "page" / ".inputs" / "gpt2-abcdef" / "training.json", record)
    config = AppConfig(runs=str(folder), results=str(folder.parent / "results"), requests_per_minute=0, port=0)
    blocks = launch(config)
    yield blocks.local_url
    blocks.close()


def test_the_running_app_is_behind_the_door(away):
    files = {"files": ("a.txt", b"x")}
    assert httpx.post(f"{away}gradio_api/upload", files=files, timeout=60).status_code == 403
    assert httpx.post(f"{away}gradio_api/run/tokenize", json={"data": ["a"]}, timeout=60).status_code == 403
    assert httpx.get(away, headers={"host": "evil.example"}, timeout=60).status_code == 403
    page = httpx.get(f"{away}train", headers={"x-forwarded-host": "evil.example"}, timeout=60)
    assert page.status_code == 200
    assert "evil.example" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_no_page_says_where_the_app_lies(away):
    for path in (*PAGES[1:], "", "config", "gradio_api/info"):
        said = httpx.get(f"{away}{path}", timeout=30).text
        assert not places(said), places(said)


def places(said: str) -> list[str]:
    """Return what in a text tells of the machine: absolute paths of its folders."""
    return re.findall(rf".{{0,40}}(?:Geheimnis|{re.escape(str(Path.home()))}/|/tmp/|site-packages).{{0,40}}", said)


def test_no_error_says_where_the_app_lies(away):
    client = Client(away, verbose=False)
    for name, given in (("/next_token", ("a", "damaged")), ("/inspect", ("a", "damaged")), ("/discuss", ("losses",))):
        with pytest.raises(Exception, match=r".{20}") as refused:
            client.predict(*given, api_name=name)
        assert not places(str(refused.value)), str(refused.value)


def test_the_search_for_places_finds_one():
    assert places("x /tmp/a")
    assert places("/var/Geheimnis0/runs")


def test_the_calls_that_a_page_shows_name_no_absolute_path(runs):
    app = App(AppConfig(runs=str(runs)), Library(runs, []), Trainings(runs, 1, 60), PAGES)
    given = dict(model="story", text="abc", part="lens", layer=0, head=0, token=-1, key=-1,
                 step="softmax", place="mixed", shuffle=1, off="head", lang="en")  # fmt: skip
    shown = inside.show(app, **given)["call"]
    assert f"{runs.name}/story" in shown
    assert str(runs.parent) not in shown
    assert Library(Path("runs"), []).source("story") == "runs/story"


def test_a_message_keeps_what_a_reader_needs_of_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_LLM_DATA_DIR", "/srv/data")
    said = without_places(f"{tmp_path}/runs/a{os.sep}config.json, /srv/data/x.txt and {tmp_path} itself", [tmp_path])
    assert said == f"runs/a{os.sep}config.json, x.txt and {tmp_path.name} itself"
    assert without_places("http://127.0.0.1/a/b and 1/2", [Path("/")]) == "http://127.0.0.1/a/b and 1/2"


def test_a_finished_training_is_downloaded_as_a_whole_and_nothing_else_is(away, runs, tmp_path):
    answer = httpx.get(f"{away}download/gpt2-abcdef.zip", timeout=60)
    assert "attachment" in answer.headers["content-disposition"]
    (tmp_path / "a.zip").write_bytes(answer.content)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert json.loads(archive.read("gpt2-abcdef/run.json"))["metrics"]
    trainings = Trainings(runs, 1, 60)
    client = TestClient(Downloads(inner, trainings))
    for name in ("none", "..%2Fstory", "../story", ".inputs", ""):
        assert client.get(f"/download/{name}.zip").status_code == 404
