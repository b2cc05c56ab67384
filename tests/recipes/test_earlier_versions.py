"""Run folders of another version: whatever run.json lacks, there is an answer or a sentence, never a KeyError."""

import copy
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from hf_llm.app.server.library import Library
from hf_llm.config import UserError
from hf_llm.hub.push import contents_of
from hf_llm.hub.space_check import model_task
from hf_llm.recipes import verify as verifying
from hf_llm.recipes.pretrain import pretrain
from hf_llm.recipes.verify import verify
from hf_llm.runs.checkpoint import MANIFEST, STATE, save_checkpoint
from hf_llm.runs.manifest import PARTS, Recorded, read_manifest
from hf_llm.tokenization.tokenizer import load_tokenizer

KEYS = [
    "job", "command", "seed", "data", "tokenizer", "environment", "commit", "world_size", "resumed_from", "resolved",
    "model", "sample", "flops_utilisation", "wall_seconds", "tokens_per_second", "peak_memory_bytes", "metrics",
    "figures", "files",
]  # fmt: skip


@pytest.fixture(scope="module")
def settings() -> dict:
    return {
        "corpus": "sample", "model": "nano", "vocab_size": 300, "n_positions": 16, "n_layer": 1, "n_embd": 16,
        "max_steps": 4, "total_batch_size": 4, "per_device_train_batch_size": 4, "warmup_steps": 0, "precision": "fp32",
        "threads": 1, "eval_steps": 2, "save_steps": 2, "eval_tokens": 100, "sample_tokens": 2, "logging_steps": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(settings, make_pretrain_config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    pretrain(make_pretrain_config(**settings, output_dir=str(folder)))
    return folder


@pytest.fixture(scope="module")
def make_pretrain_config():
    from hf_llm.training.config import PretrainConfig

    return PretrainConfig


def written(folder: Path, manifest: dict) -> Path:
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def lacking(manifest: dict) -> dict[str, dict]:
    """Return {what it lacks: manifest} for each key, at any depth; of the settings only one, they are tried below."""
    made = {}

    def visit(part: dict, path: tuple[str, ...]) -> None:
        for name, value in part.items():
            if path[:1] == ("config",) and name != "output_dir":
                continue
            less = copy.deepcopy(manifest)
            place = less
            for step in path:
                place = place[step]
            del place[name]
            made[".".join([*path, name])] = less
            if isinstance(value, dict):
                visit(value, (*path, name))

    visit(manifest, ())
    for name in PARTS:
        made[f"{name}: null"] = {**manifest, name: None}
        made[f"{name}: a list"] = {**manifest, name: []}
    return made


def test_whatever_a_manifest_lacks_there_is_an_answer_or_a_sentence(
    finished, settings, make_pretrain_config, tmp_path, monkeypatch, capsys
):
    original = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert set(KEYS) <= original.keys()
    monkeypatch.setattr(verifying, "_repeat", lambda manifest, folder: original)
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    config, library = make_pretrain_config(**settings, output_dir=str(folder)), Library(tmp_path, [])
    readers = {
        "verify": lambda: verify(folder),
        "push": lambda: contents_of(folder, "me/run"),
        "the app": lambda: [library.data(name) for name in library.language_models("pt-BR")],
        "a Space": lambda: model_task(read_manifest(folder)),
        "the tokenizer": lambda: load_tokenizer(folder),
    }
    sentences = set()
    for what, manifest in lacking(original).items():
        written(folder, manifest)
        for reader, read in readers.items():
            try:
                read()
            except UserError as error:
                sentences.add((what, reader, str(error)))
            except Exception as error:
                raise AssertionError(f"{reader} without {what}") from error
    monkeypatch.setattr("hf_llm.recipes.pretrain.read_inputs", _memory(make_pretrain_config(**settings)))
    monkeypatch.setattr("hf_llm.recipes.pretrain.train", _no_training)
    for what, manifest in lacking(original).items():  # the same command again, which reports what there is
        written(folder, manifest)
        try:
            pretrain(config)
        except UserError as error:
            sentences.add((what, "pretrain", str(error)))
    assert ("files", "verify") not in {sentence[:2] for sentence in sentences}
    assert ("resolved", "verify") not in {sentence[:2] for sentence in sentences}
    assert all("\n" not in sentence for _, _, sentence in sentences)


def _memory(config):
    from hf_llm.recipes.pretrain import read_inputs

    inputs = read_inputs(config)
    return lambda _config: inputs


def _no_training(*arguments):
    raise UserError("it would train")


def test_a_run_without_files_and_resolved_is_repeated_and_compared(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    for name in ("files", "resolved", "environment", "world_size", "commit"):
        del manifest[name]
    written(folder, manifest)
    assert verify(folder).answer == "identical"
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert verify(folder).answer == "equal"  # the losses are the same, and what it was made on is not known
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds no model\.safetensors, so there is nothing to compare"):
        verify(folder)


@pytest.fixture
def interrupted(settings, make_pretrain_config, tmp_path, monkeypatch):
    """A run that was stopped at its first checkpoint, and its config."""
    config = make_pretrain_config(**settings, output_dir=str(tmp_path / "run"))
    from hf_llm.runs.run import Run

    save = Run.save

    def stop(run, state, *arguments):
        save(run, state, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        pretrain(config)
    monkeypatch.setattr(Run, "save", save)
    return tmp_path / "run", config


def test_an_interrupted_run_goes_on_after_an_update_that_brought_settings(interrupted, finished, make_pretrain_config):
    """Each setting that has a default may be new; an old run was made with it."""
    folder, config = interrupted
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    defaults = asdict(make_pretrain_config())
    new = [name for name, value in manifest["config"].items() if value == defaults[name]]
    assert {"input_noise", "max_weight_norm", "bpe_dropout", "dropout", "early_stopping_patience"} <= set(new)
    manifest["config"] = {name: value for name, value in manifest["config"].items() if name not in new}
    for name in ("resolved", "environment", "world_size", "commit", "tokenizer", "resumed_from"):
        manifest.pop(name, None)
    checkpoint = folder / "checkpoints" / "step-000002"
    state = json.loads((checkpoint / STATE).read_text(encoding="utf-8")) | {"a_count_of_another_version": 1}
    del state["log"], state["seconds"]
    writers = {
        name: lambda path, name=name: shutil.copyfile(folder / name, path)
        for name in ("model.safetensors", "optimizer.safetensors")
    }
    for name in writers:
        shutil.copyfile(checkpoint / name, folder / name)
    shutil.rmtree(checkpoint)
    save_checkpoint(folder / "checkpoints", state, writers, keep=2)
    assert (checkpoint / MANIFEST).exists()
    written(folder, manifest)
    done = pretrain(config)
    assert done["resumed_from"] == [2]
    undisturbed = read_manifest(finished)
    assert done["files"]["model.safetensors"] == undisturbed["files"]["model.safetensors"]


def test_a_new_setting_that_is_not_at_its_default_makes_another_run(interrupted, settings, make_pretrain_config):
    folder, _ = interrupted
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del manifest["config"]["input_noise"]
    written(folder, manifest)
    other = make_pretrain_config(**settings, output_dir=str(folder), input_noise=0.1)
    with pytest.raises(UserError, match=r"another run \(input_noise: 0\.0 → 0\.1\)"):
        pretrain(other)


def test_weights_of_another_model_are_not_gone_on_with(interrupted, monkeypatch):
    """As where a version changed the model beneath the same settings."""
    _, config = interrupted
    monkeypatch.setattr(
        type(config), "shape", property(lambda config: {"size": "nano", "n_positions": 16, "n_embd": 32})
    )
    with pytest.raises(UserError, match=r"the saved weights are of another model \(transformer\.wte\.weight\)"):
        pretrain(config)


def test_what_is_read_is_written_as_it_was(finished):
    manifest = read_manifest(finished)
    assert isinstance(manifest["metrics"]["validation"], Recorded)
    assert json.dumps(manifest) == json.dumps(json.loads((finished / "run.json").read_text(encoding="utf-8")))
    assert copy.deepcopy(manifest) == manifest
    with pytest.raises(UserError, match=r"run\.json says nothing of metrics\.validation\.nothing; another version"):
        manifest["metrics"]["validation"]["nothing"]


def test_a_repetition_that_is_stopped_does_not_advise_to_go_on_with_it(finished, monkeypatch):
    """Its folder is gone by then."""
    from hf_llm.training.loop import Stopped

    def stopped(manifest, folder):
        raise Stopped("stopped at step 1 of 4; the checkpoint is in …; the same command goes on from there")

    monkeypatch.setattr(verifying, "_repeat", stopped)
    with pytest.raises(
        UserError, match=r"stopped before .* was repeated, so there is no answer; the run is as it was$"
    ):
        verify(finished)
