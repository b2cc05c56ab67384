"""What a training script does at its end with --push_to_hub."""

import pytest
from test_push import RUN, contents

from hf_llm.hub.push import push_after_training

PUSH = """
import json, sys
from hf_llm.hub.push import push_after_training

push_after_training(sys.argv[1], "me/verdict", private=True)
print(json.dumps("the script goes on"))
"""


def test_the_run_is_pushed(hub, client, runs):
    assert client(PUSH, runs / "verdict") == "the script goes on"
    assert contents(hub, "me/verdict").keys() == RUN
    assert hub.repository("me/verdict").private


@pytest.mark.parametrize("kind", ["drop", "expire"])
def test_a_hub_that_fails_ends_nothing_and_changes_nothing(hub, client, runs, kind):
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    hub.fail(kind, "GET", "/api/")
    assert client(PUSH, runs / "verdict") == "the script goes on"
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == before


def test_why_and_how_to_try_again_is_said(hub, runs, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", hub.token)
    push_after_training(str(runs / "verdict"), "me/verdict", private=True)  # tests are offline
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"warning: {runs / 'verdict'} was not pushed to me/verdict: HF_HUB_OFFLINE is set")
    assert said.err.endswith(f"try again: hf-llm hub push {runs / 'verdict'} me/verdict --private\n")


def test_only_the_first_process_pushes(hub, client, runs, monkeypatch):
    monkeypatch.setenv("RANK", "1")  # alone it is left over from another launch
    assert client(PUSH, runs / "verdict") == "the script goes on"
    assert hub.requests != []
    hub.clear()
    place = {"WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    assert client(PUSH, runs / "verdict") == "the script goes on"
    assert hub.requests == []
