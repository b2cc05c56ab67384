"""A push takes exports along: in the same commit, where other programs look for them, named on the card."""

import hashlib
import json
import re

import pytest
from test_push import RUN, contents, refused, succeeded, titles

from hf_llm.hub.card_exports import BEGIN
from hf_llm.hub.safety import kind_of
from hf_llm.runs.manifest import read_manifest

FILES = {
    "gguf": {"model-f32.gguf": b"GGUF 32", "model-f16.gguf": b"GGUF 16", "model-q8_0.gguf": b"GGUF 8"},
    "openvino": {"openvino_model.xml": b"<net/>", "openvino_model.bin": b"\0" * 100, "tokenizer.json": b"{}"},
}
THERE = {
    "gguf": {"model-f32.gguf", "model-f16.gguf", "model-q8_0.gguf", "gguf/export.json"},
    "openvino": {f"openvino/{name}" for name in (*FILES["openvino"], "export.json")},
}


@pytest.fixture
def run(runs):
    """A finished run with two exports in its folder, which nobody opens here."""
    run = runs / "verdict"
    for to, files in FILES.items():
        (run / to).mkdir()
        for name, content in files.items():
            (run / to / name).write_bytes(content)
        checks = {"greedy": {"prompts": 20, "identical": 19}}
        if to == "gguf":
            checks["bits_per_byte"] = {"f16_change": 0.0001, "q8_0_change": -0.0012}
        record = {
            "format": to,
            "made_from": read_manifest(run)["files"],
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "checks": checks,
        }
        (run / to / "export.json").write_text(json.dumps(record), encoding="utf-8")
    return run


def test_exports_go_up_with_the_run_in_one_commit(hub, either_scripts, run):
    succeeded(either_scripts("hub.py", "push", run, "me/verdict", "--export", "gguf,openvino"))
    there = contents(hub, "me/verdict")
    assert there.keys() == RUN | THERE["gguf"] | THERE["openvino"]
    assert there["model-q8_0.gguf"] == b"GGUF 8"
    assert titles(hub, "me/verdict") == ["pretraining on sample, seed 0", "initial commit"]
    card = there["README.md"].decode()
    assert "ollama run hf.co/me/verdict:Q8_0" in card
    assert "−0.12% with q8_0" in card
    assert re.search(r"−0,12.% com q8_0", card)
    assert "19 of 20" in card
    assert "transformers.js" not in card
    assert there["README.md"] == (run / "README.md").read_bytes()
    succeeded(either_scripts("hub.py", "push", run, "me/verdict", "--export", "gguf,openvino"))
    assert len(titles(hub, "me/verdict")) == 2


def test_a_push_without_them_takes_them_away(hub, scripts, run):
    succeeded(scripts("hub.py", "push", run, "me/verdict", "--export", "gguf,openvino"))
    succeeded(scripts("hub.py", "push", run, "me/verdict", "--export", "openvino"))
    there = contents(hub, "me/verdict")
    assert there.keys() == RUN | THERE["openvino"]
    assert there["README.md"].decode().count(BEGIN) == 1
    succeeded(scripts("hub.py", "push", run, "me/verdict"))
    there = contents(hub, "me/verdict")
    assert there.keys() == RUN
    assert BEGIN not in there["README.md"].decode()


def test_a_pull_leaves_them_on_the_hub(hub, scripts, run, tmp_path):
    succeeded(scripts("hub.py", "push", run, "me/verdict", "--export", "gguf,openvino"))
    said = succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert "left on the Hub: .gitattributes, gguf/export.json" in said
    assert {path.name for path in (tmp_path / "pulled").iterdir() if path.is_file()} == RUN - {"figures/loss.png"}


def change_weights(run):
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (run / "model.safetensors").write_bytes(content)
    manifest["files"]["model.safetensors"] = hashlib.sha256(content).hexdigest()
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change_weights, "gguf was made from another model.safetensors than the run's"),
        (lambda run: (run / "gguf" / "model-f16.gguf").write_bytes(b"other"), "model-f16.gguf is not the file"),
        (lambda run: (run / "gguf" / "export.json").write_text("[]"), "is not the record of an export"),
        (lambda run: (run / "gguf" / "export.json").unlink(), "has no gguf export"),
    ],
)
def test_an_export_of_something_else_is_refused(hub, scripts, run, damage, said):
    damage(run)
    message = refused(scripts("hub.py", "push", run, "me/verdict", "--export", "gguf"))
    assert said in message
    assert "hf-llm export" in message
    assert ("model", "me/verdict") not in hub.repositories


def test_an_unknown_export_is_refused(scripts, run):
    assert "known are gguf, onnx" in refused(scripts("hub.py", "push", run, "me/verdict", "--export", "gguf,pdf"))


def test_a_tokenizer_has_no_exports(scripts, runs):
    assert "leave out --export" in refused(
        scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer", "--export", "gguf")
    )


@pytest.mark.parametrize("path", ["model-q8_0.gguf", "onnx/model.onnx", "mlx/model.safetensors", "gguf/export.json"])
def test_an_export_is_known_by_its_place(path):
    assert kind_of(path) == "export"


@pytest.mark.parametrize(
    "path", ["mlx/evil.py", "onnx/model.bin", "openvino_model.bin", "model-a/b.gguf", "model.gguf"]
)
def test_nothing_else_is_an_export(path):
    assert kind_of(path) is None
