import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
import toy

from hf_llm.config import UserError
from hf_llm.runs.checkpoint import Checkpoint, Damaged, verify_checkpoint
from hf_llm.runs.run import Run

FILES = ["model.safetensors", "optimizer.safetensors", "best.safetensors", "state.json", "manifest.json"]


def missing(path: Path, _other: Path) -> None:
    path.unlink()


def truncated(path: Path, _other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path, _other: Path) -> None:
    path.write_bytes(b"")


def one_bit_flipped(path: Path, _other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x04
    path.write_bytes(content)


def from_another_step(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


@pytest.fixture(scope="module")
def five_steps(tmp_path_factory) -> Path:
    """A run folder with steps 1 to 5, of which 1 and 3 were the best so far."""
    run = Run(tmp_path_factory.mktemp("run"), dict(toy.MANIFEST), keep=5)
    for step in range(1, 6):
        toy.save(run, step, is_best=step in (1, 3))
    return run.folder


@pytest.fixture
def run(five_steps, tmp_path) -> Run:
    """A run of its own in a copy of that folder, resumed where the test says so."""
    run = Run(tmp_path / "run", dict(toy.MANIFEST), keep=5)
    shutil.copytree(five_steps, run.folder)
    run.checkpoint = Checkpoint(run.checkpoints / "step-000005", {"step": 5})
    return run


def steps(run: Run) -> list[str]:
    return sorted(path.name for path in run.checkpoints.iterdir())


@pytest.mark.parametrize("damage", [missing, truncated, empty, one_bit_flipped, from_another_step])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_the_checkpoint_before_it_is_used(run, caplog, name, damage):
    damage(run.checkpoints / "step-000005" / name, run.checkpoints / "step-000002" / name)
    state, weights, moments = toy.resume(run)
    assert f"step-000005 is damaged ({name}: " in caplog.text
    assert state == {"step": 4, "best_loss": 0.5}
    assert torch.equal(weights["layer.weight"], toy.weights(4)["layer.weight"])
    assert torch.equal(moments["layer.weight/exp_avg"], toy.moments(4)["layer.weight/exp_avg"])


def test_a_flipped_bit_anywhere_in_a_manifest_is_found(run):
    folder = run.checkpoints / "step-000005"
    content = (folder / "manifest.json").read_bytes()
    for place in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        (folder / "manifest.json").write_bytes(flipped)
        with pytest.raises(Damaged, match=r"manifest\.json"):
            verify_checkpoint(folder)


def test_an_intact_checkpoint_resumes_without_a_warning(run, caplog):
    state, weights, moments = toy.resume(run)
    assert state == {"step": 5, "best_loss": 0.5}
    assert weights.keys() == toy.weights(5).keys()
    assert moments["layer.weight/step"] == 5
    assert run.manifest["resumed_from"] == [5]
    assert not caplog.records


def test_nothing_is_left_when_all_are_damaged(run):
    for folder in run.checkpoints.iterdir():
        (folder / "state.json").write_text("{}")
    with pytest.raises(UserError, match=r"no intact checkpoint .*step-000005/state\.json.*step-000001.*restart"):
        toy.resume(run)


def test_a_damaged_checkpoint_is_not_kept_in_place_of_an_intact_one(run):
    shutil.rmtree(run.checkpoints / "step-000004")
    (run.checkpoints / "step-000005" / "model.safetensors").write_bytes(b"")
    assert toy.resume(run)[0]["step"] == 3
    run.keep = 1
    toy.save(run, 4)  # a signal makes the run save here, before the step that was damaged
    assert steps(run) == ["step-000004"]
    assert toy.resume(run)[0]["step"] == 4


def test_the_best_weights_are_carried_over_until_better_ones_come(run):
    assert torch.equal(toy_file(run.best_weights)["layer.bias"], toy.weights(3)["layer.bias"])
    toy.save(run, 6)
    assert run.best_weights == run.checkpoints / "step-000006" / "model.safetensors"
    assert not (run.checkpoints / "step-000006" / "best.safetensors").exists()


def toy_file(path: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(path)


@pytest.mark.parametrize("keep", [1, 2])
def test_old_checkpoints_are_pruned(run, keep):
    run.keep = keep
    toy.save(run, 6)
    assert steps(run) == [f"step-00000{step}" for step in range(7 - keep, 7)]


def test_what_a_kill_left_is_removed_and_strangers_stay(run):
    (run.checkpoints / ".step-000006.tmp").mkdir()
    (run.checkpoints / ".step-000006.tmp" / "model.safetensors").write_bytes(b"half")
    (run.checkpoints / ".step-000001.old").mkdir()
    (run.checkpoints / "step-old").mkdir()
    toy.resume(run)
    assert steps(run) == [*(f"step-00000{step}" for step in range(1, 6)), "step-old"]


def test_an_error_of_ours_in_a_save_is_no_full_disk(run):
    with pytest.raises(TypeError):
        run.save({"step": 6, "best_loss": object()}, toy.weights(6), toy.moments(6), is_best=True)
    assert steps(run)[-1] == "step-000005"


def test_phases_are_named_in_their_order(run, caplog):
    with caplog.at_level(logging.DEBUG, logger="hf_llm.runs.checkpoint"):
        toy.save(run, 6)
    assert caplog.messages == ["save", "rename", "prune"]


def test_a_checkpoint_holds_no_pickle(run):
    for path in (run.checkpoints / "step-000005").iterdir():
        if path.suffix == ".json":
            json.loads(path.read_text())
        else:
            assert toy_file(path)
