"""A small class at the running app, in seconds, and the attacks on it; the long form is `make stress`."""

import shutil
import time

import httpx
import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.server import quick_run
from hf_llm.app.server.build import launch
from hf_llm.app.server.line import ALL
from hf_llm.benchmarks import app_visitors
from hf_llm.benchmarks.app_process import ADDRESS, running_app
from hf_llm.benchmarks.app_visitors import (
    VIEWS,
    WORK,
    Wire,
    many_labs,
    starts_and_stops,
    study,
    train,
    watched,
)

pytestmark = pytest.mark.stress  # a class and its attacks; on a busy machine minutes


@pytest.fixture(scope="module")
def school(runs, tmp_path_factory):
    """The app with its usual limits, and its folder of runs."""
    folder = tmp_path_factory.mktemp("school") / "runs"
    shutil.copytree(runs, folder)
    blocks = launch(AppConfig(runs=str(folder), port=0, training_steps=60))
    yield blocks, folder
    blocks.close()


def test_five_students_do_their_clicks_and_no_call_fails(school):
    visits = study(school[0].local_url, range(5), seconds=4, think=0.1, arriving=0.1)
    assert visits.failed == {}
    assert sum(map(len, visits.seconds.values())) >= 5  # each of them, on however slow a machine
    assert len(visits.answers["/generate"]) <= 1  # the same seed, the same text


def test_the_class_would_notice_a_call_that_fails(school, monkeypatch):
    monkeypatch.setitem(app_visitors.VIEWS, "/next_token", ("a", "no such model"))
    visits = study(school[0].local_url, range(2), seconds=8, think=0.05, arriving=0.05)
    assert any("no model" in said for said in visits.failed)
    assert set(visits.seconds) == set(VIEWS | WORK)


def test_trainings_end_in_the_order_of_their_coming_and_stay_whatever_is_started_and_stopped(school):
    blocks, folder = school
    assert train(blocks.local_url, 2) == [0, 1]
    models = {*folder.glob("page/*/model.safetensors")}
    assert len(models) == 2
    starts_and_stops(blocks.local_url)
    assert models <= {*folder.glob("page/*/model.safetensors")}


def test_many_who_ask_for_a_lab_keep_nobody_from_a_view(school, monkeypatch):
    monkeypatch.setattr(quick_run, "_run", None)  # none of them gets as far as to train
    blocks, _ = school
    with watched(blocks.local_url, every=0.05) as waits:
        many_labs(blocks.local_url)
    assert waits
    assert float("inf") not in waits
    assert len(blocks._queue) < ALL
    assert httpx.get(blocks.local_url).status_code == 200


def test_a_page_calls_by_the_names_of_its_functions(school):
    wire = Wire(school[0].local_url)
    assert {"start", "stop", "look", "run_chosen"} <= set(wire.functions)
    assert "not possible here" in wire.call("x", "start", "mlp", "digits", 60, 0, 0, 0, "")["error"]


@pytest.mark.stress
def test_the_app_ends_when_asked_while_tokenizers_are_trained(runs):
    words = ("".join(chr(0x4E00 + (i * 7919 + place * 31) % 20000) for place in range(8)) for i in range(2500))
    call = {"data": [" ".join(words), 1000]}  # as much work as is taken on
    with running_app(runs) as (server, _):
        for _ in range(4):
            httpx.post(f"{ADDRESS}/gradio_api/call/train_bpe", json=call, timeout=60).raise_for_status()
        time.sleep(1)
        server.terminate()
        assert server.wait(60) == 0
