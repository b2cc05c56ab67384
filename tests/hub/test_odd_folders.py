"""Folders that nobody means to push or to make, and what happens to them while somebody does."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_push import contents, refused, succeeded

from hf_llm.config import UserError
from hf_llm.hub import push
from hf_llm.runs.lock import hold

ROOT = Path(__file__).parents[2]
MANIFESTS = {
    "nested": lambda manifest: "[" * 100_000,
    "no files": lambda manifest: json.dumps(manifest | {"files": None}),
    "files in a list": lambda manifest: json.dumps(manifest | {"files": []}),
    "a number for a hash": lambda manifest: json.dumps(manifest | {"files": {"config.json": 1}}),
    "no job": lambda manifest: json.dumps({key: value for key, value in manifest.items() if key != "job"}),
    "no data": lambda manifest: json.dumps(manifest | {"data": None}),
}


@pytest.mark.parametrize("change", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_none(hub, scripts, runs, change):
    manifest = runs / "verdict" / "run.json"
    manifest.write_text(change(json.loads(manifest.read_text(encoding="utf-8"))))
    refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    refused(scripts("hub.py", "space", "me/app", "--runs", runs / "verdict"))
    assert hub.requests == []


def test_a_manifest_with_the_name_of_a_latin_1_file(hub, scripts, runs):
    path = runs / "verdict" / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["data"]["name"] = os.fsdecode(b"cora\xe7\xe3o.txt")
    path.write_text(json.dumps(manifest), encoding="utf-8")
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert json.loads(contents(hub, "me/verdict")["run.json"])["data"] == manifest["data"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"[" * 100_000, b"caf\xe9", b'{"model": {"type": "Unigram", "vocab": [["a", 0.0]]}}']
)
def test_a_tokenizer_that_is_none(hub, scripts, runs, content):
    (runs / "tokenizer" / "tokenizer.json").write_bytes(content)
    said = refused(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    assert "tokenizer.json is no " in said
    assert hub.requests == []


def test_a_file_that_may_not_be_read(runs, monkeypatch):
    def may_not(folder):  # root may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder / "note.txt"))

    monkeypatch.setattr("hf_llm.hub.push.refuse_secrets", may_not)
    with pytest.raises(UserError, match=r"note.txt cannot be read \(Permission denied\), so nothing was pushed"):
        push.contents_of(runs / "verdict", "me/verdict")


def test_a_run_in_training_is_not_pushed(hub, scripts, runs):
    with hold(runs / "verdict"):
        assert "in use by another process" in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert hub.requests == []


CHANGE_MEANWHILE = """
import json, sys
from pathlib import Path
from hf_llm.config import UserError
from hf_llm.hub.commit import Destination, commit_contents
from hf_llm.hub.push import contents_of

file = Path(sys.argv[1], sys.argv[2])
contents = contents_of(file.parents[sys.argv[2].count("/")], "me/verdict")
content = bytearray(file.read_bytes())
content[-1] ^= 1
file.write_bytes(content)
to = Destination("me/verdict", False, "main", create_pr=False, failure="nothing was pushed", retry="again")
try:
    print(json.dumps(commit_contents(contents, to).changed))
except UserError as error:
    print(json.dumps(str(error)))
"""


def test_what_was_looked_at_is_what_is_sent(hub, client, runs):
    """Whatever becomes of the file between the look and the upload."""
    said = client(CHANGE_MEANWHILE, runs / "verdict", "model.safetensors")
    assert said == "nothing was pushed: model.safetensors was changed meanwhile; when nothing writes there: again"
    assert contents(hub, "me/verdict") == {}


def test_small_files_are_sent_as_they_were(hub, client, runs):
    before = (runs / "verdict" / "figures" / "loss.png").read_bytes()
    assert "figures/loss.png" in client(CHANGE_MEANWHILE, runs / "verdict", "figures/loss.png")
    assert contents(hub, "me/verdict")["figures/loss.png"] == before != (runs / "verdict/figures/loss.png").read_bytes()


def test_a_fault_of_ours_does_not_end_a_training(hub, runs, monkeypatch, capsys):
    def fault(config):
        raise RuntimeError("a bug with hf_abcdefghijklmnop")

    monkeypatch.setattr(push, "push", fault)
    push.push_after_training(str(runs / "verdict"), "me/verdict", private=False)
    said = capsys.readouterr().err
    assert "RuntimeError: a bug with hf_…; the command to try again: hf-llm hub push" in said


def test_no_folder_is_left_that_was_not_there(hub, scripts, tmp_path):
    (tmp_path / "mine").mkdir()
    refused(scripts("hub.py", "pull", "me/none", tmp_path / "mine" / "a" / "b" / "pulled"))
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_model_of_a_thousand_pieces_is_not_begun(hub, scripts, runs, tmp_path):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    repository = hub.repository("me/verdict")
    piece = repository.files()["model.safetensors"]
    pieces = {f"model-{number:05}-of-01000.safetensors": piece for number in range(1000)}
    repository.write("main", repository.files() | pieces, "more")
    requests = len(hub.requests)
    assert "1,008 files of a model" in refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert not any("/resolve/" in path for _, path, _ in hub.requests[requests:])


@pytest.mark.parametrize("revision", ["", ".", "..", "../main", "a b", "a?b", "a#b", "a\n", "-x", "a/", "a//b"])
def test_a_revision_that_is_none(hub, scripts, runs, revision):
    for words in (("push", runs / "verdict", "me/verdict"), ("pull", "me/verdict", runs / "new")):
        assert "is no revision" in refused(scripts("hub.py", *words, f"--revision={revision}"))
    assert hub.requests == []


def test_a_private_folder_stays_private(hub, scripts, runs, tmp_path):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    (tmp_path / "pulled").mkdir(mode=0o700)
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert (tmp_path / "pulled").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, "SIGHUP"], ids=str)
def test_a_pull_that_is_stopped_leaves_nothing(hub, scripts, runs, tmp_path, number):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    hub.fail("hang", "GET", "/resolve/")
    folder = tmp_path / "there"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, ROOT / "scripts/hub.py", "pull", "me/verdict", folder / "pulled"],
        env=os.environ | hub.environment(tmp_path / "home"), stderr=subprocess.PIPE, text=True,
        # what a shell starts in the background ignores Ctrl-C, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while hub.faults[0].times and process.poll() is None:
        time.sleep(0.05)
    assert list(folder.iterdir())
    process.send_signal(getattr(signal, number) if isinstance(number, str) else number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode in (130, 143, 129)
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
