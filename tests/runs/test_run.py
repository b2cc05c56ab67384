import json
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
import toy

from hf_llm.config import UserError, library_folder, typed
from hf_llm.runs.manifest import card_for_others, manifest_for_others, read_manifest
from hf_llm.runs.run import Run, hold_run, move_aside


def manifest(**changes) -> dict:
    return {**toy.MANIFEST, "config": {**toy.MANIFEST["config"], "save_steps": 1}, **changes}


def start(folder: Path, new: dict | None = None, restart: bool = False) -> dict:
    """Open, write the manifest, save step 1 where there is no checkpoint; return the manifest."""
    with hold_run(folder, new or manifest(), keep=1, restart=restart) as run:
        run.write_manifest()
        if toy.resume(run)[0] is None:
            toy.save(run, 1)
        return run.manifest


def test_the_same_settings_go_on(tmp_path):
    start(tmp_path / "run", manifest(resolved={"precision": "bf16"}, commit="a"))
    config = {**toy.MANIFEST["config"], "save_steps": 7, "output_dir": "elsewhere"}  # settings without effect
    continued = start(tmp_path / "run", manifest(config=config))
    assert continued["resumed_from"] == [1]
    assert continued["resolved"] == {"precision": "bf16"}
    assert continued["commit"] == "a"
    assert start(tmp_path / "run")["resumed_from"] == [1, 1]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["resumed_from"] == [1, 1]


def test_a_warm_up_in_steps_is_that_of_the_same_share(tmp_path):
    """So that a run of an earlier version, whose config had the number of steps, goes on with today's."""
    earlier, today = ({**toy.MANIFEST["config"], "max_steps": 500, "warmup_steps": value} for value in (50, 0.1))
    start(tmp_path / "run", manifest(config=earlier))
    assert start(tmp_path / "run", manifest(config=today))["resumed_from"] == [1]
    with pytest.raises(UserError, match="warmup_steps: 50 → 100"):
        start(tmp_path / "run", manifest(config={**today, "warmup_steps": 0.2}))


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"config": {"seed": 1, "max_steps": 9}}, "seed: 0 → 1"),
        ({"config": {"seed": 0, "max_steps": 9, "dropout": 0.1}}, "dropout: None → 0.1"),
        ({"data": {"sha256": "e"}}, "data.sha256: d → e"),
        ({"tokenizer": {"sha256": "u"}}, "tokenizer.sha256: t → u"),
    ],
)
def test_another_run_is_refused_with_the_difference(tmp_path, other, difference):
    start(tmp_path / "run")
    with pytest.raises(UserError, match=rf"holds another run \({difference}\).*restart"):
        start(tmp_path / "run", manifest(**other))
    assert start(tmp_path / "run")["resumed_from"] == [1]  # the refusal harmed nothing


def test_restart_moves_the_old_runs_aside(tmp_path):
    for number in (1, 2):
        start(tmp_path / "run")
        (tmp_path / "run" / "README.md").write_text(f"run {number}")
        assert "resumed_from" not in start(tmp_path / "run", manifest(seed=number), restart=True)
        aside = tmp_path / f"run.{number}"
        assert (aside / "README.md").read_text() == f"run {number}"
        assert (aside / "checkpoints" / "step-000001").is_dir()


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"config": 3}'])
def test_an_unreadable_manifest_is_refused_and_can_be_moved_aside(tmp_path, damaged):
    start(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text(damaged)
    with pytest.raises(UserError, match=r"run\.json .*restart"):
        start(tmp_path / "run")
    start(tmp_path / "run", restart=True)
    assert (tmp_path / "run.1" / "run.json").read_text() == damaged


def test_a_restart_that_was_killed_is_finished_by_the_same_command(tmp_path):
    folder = tmp_path / "run"
    start(folder)
    names = sorted(path.name for path in folder.iterdir() if path.name != ".lock")
    (tmp_path / ".run.moving").mkdir()
    (folder / "log.jsonl").rename(tmp_path / ".run.moving" / "log.jsonl")  # so far it came
    move_aside(folder)
    assert sorted(path.name for path in (tmp_path / "run.1").iterdir()) == names
    assert [path.name for path in folder.iterdir()] == [".lock"]
    move_aside(folder)  # nothing more to move
    assert not (tmp_path / "run.2").exists()


def test_a_finished_run_comes_back_as_it_is(tmp_path):
    start(tmp_path / "run", manifest(metrics={"loss": 1}, command="the first"))
    with hold_run(tmp_path / "run", manifest(command="the second"), keep=1, restart=False) as run:
        assert run.manifest["metrics"] == {"loss": 1}
        assert run.manifest["command"] == "the first"


def test_a_run_of_an_earlier_version_goes_on_under_the_names_of_today(tmp_path):
    """`max_norm` is `max_weight_norm` now; `log_samples` is gone, and never changed a number."""
    config = {**toy.MANIFEST["config"], "max_norm": 3.0, "log_samples": True}
    start(tmp_path / "run", manifest(config=config))
    assert read_manifest(tmp_path / "run")["config"] == {**toy.MANIFEST["config"], "max_weight_norm": 3.0}
    today = {**toy.MANIFEST["config"], "max_weight_norm": 3.0}
    assert start(tmp_path / "run", manifest(config=today))["resumed_from"] == [1]
    with pytest.raises(UserError, match=r"another run \(max_weight_norm: 3\.0 → 0\.0\)"):
        start(tmp_path / "run", manifest(config={**today, "max_weight_norm": 0.0}))


def test_a_folder_with_files_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    for restart in (False, True):
        with pytest.raises(UserError, match=r"holds files but no run \(thesis\.tex\)"):
            start(tmp_path, restart=restart)
    assert (tmp_path / "thesis.tex").exists()


def test_a_kill_before_the_first_manifest_leaves_nothing_in_the_way(tmp_path):
    (tmp_path / ".run.json.tmp").write_text('{"conf')
    (tmp_path / ".lock").touch()
    start(tmp_path)


def test_a_kill_before_the_first_checkpoint_leaves_no_lines(tmp_path):
    with hold_run(tmp_path, manifest(), keep=1, restart=False) as run:
        run.write_manifest()
        run.log.append({"step": 1})
    with hold_run(tmp_path, manifest(), keep=1, restart=False) as run:
        assert toy.resume(run)[0] is None
        assert run.log.records() == []


def test_lines_after_the_checkpoint_are_cut(tmp_path):
    start(tmp_path)
    with hold_run(tmp_path, manifest(), keep=1, restart=False) as run:
        run.log.append({"step": 2})
        toy.resume(run)
        assert [record["step"] for record in run.log.records()] == [1]


def test_other_circumstances_get_a_warning(tmp_path, caplog):
    start(tmp_path, manifest(environment={"versions": {"torch": "2.9"}}, world_size=1))
    start(tmp_path, manifest(environment={"versions": {"torch": "2.13"}}, world_size=2))
    assert "torch: 2.9 → 2.13; world_size: 1 → 2" in caplog.text


def test_other_processes_write_nothing(tmp_path):
    start(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with hold_run(tmp_path, manifest(), keep=1, restart=True, processes=SimpleNamespace(is_main_process=False)) as run:
        assert toy.resume(run)[0]["step"] == 1
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mask", [0o022, 0o007, 0o077])
def test_modes_are_those_of_any_other_file(tmp_path, mask):
    earlier = os.umask(mask)
    try:
        start(tmp_path / "run")
        with hold_run(tmp_path / "run", manifest(), keep=1, restart=False) as run:
            toy.resume(run)
            toy.save(run, 2, is_best=False)
    finally:
        os.umask(earlier)
    paths = list((tmp_path / "run").rglob("*"))
    assert len(paths) == 10
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o777 if path.is_dir() else 0o666) & ~mask, path


def test_a_run_without_a_checkpoint_has_no_best_weights(tmp_path):
    assert Run(tmp_path, manifest(), keep=1).best_weights is None


DROPPINGS = (".DS_Store", "Thumbs.db", "desktop.ini", "._run.json", ".nfs0123", ".directory")


def drop(folder: Path) -> None:
    """Leave what file managers leave."""
    (folder / "@eaDir").mkdir(parents=True)
    for name in DROPPINGS:
        (folder / name).write_bytes(b"\0\5\26\7")


def test_what_file_managers_leave_is_in_nobodys_way(tmp_path):
    drop(tmp_path / "run")
    start(tmp_path / "run")
    assert start(tmp_path / "run")["resumed_from"] == [1]
    start(tmp_path / "run", manifest(seed=1), restart=True)
    assert not (tmp_path / "run.1" / ".DS_Store").exists()
    assert (tmp_path / "run" / ".DS_Store").exists()
    (tmp_path / "run" / "run.json").unlink()
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    (tmp_path / "run" / "log.jsonl").unlink()
    start(tmp_path / "run")


def test_a_checkpoint_that_cannot_go_stops_nothing(tmp_path, monkeypatch):
    """NFS and FUSE give a file that is open another name; its folder stays until it is closed."""
    start(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with hold_run(tmp_path, manifest(), keep=1, restart=False) as run:
        toy.resume(run)
        for step in (2, 3):
            toy.save(run, step)
        assert toy.resume(run)[0]["step"] == 3


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_a_linked_run_folder_goes_on_and_is_moved_aside_where_it_lies(tmp_path):
    far, link = tmp_path / "disk" / "run", tmp_path / "runs" / "verdict"
    far.mkdir(parents=True)
    link.parent.mkdir()
    link.symlink_to(far)
    start(library_folder(link))
    start(library_folder(link), manifest(seed=1), restart=True)
    assert link.is_symlink()
    assert (tmp_path / "disk" / "run.1" / "run.json").exists()
    assert [path.name for path in link.parent.iterdir()] == ["verdict"]


def test_a_name_that_is_no_utf_8_can_be_written_and_read_again(tmp_path):
    name = "caf\udce9.txt"  # what Python makes of the byte 0xE9 in the name of a file
    config = {**toy.MANIFEST["config"], "corpus": name}
    start(tmp_path, manifest(config=config))
    assert read_manifest(tmp_path)["config"]["corpus"] == name
    assert start(tmp_path, manifest(config=config))["resumed_from"] == [1]
    (tmp_path / "run.json").read_text(encoding="utf-8")


def test_others_see_of_a_path_on_this_machine_no_more_than_its_name():
    home, files = "/home/ana", ["/home/ana/livros/a.txt", "/mnt/b [2].txt"]
    private = manifest(
        command=typed("hf-llm", "pretrain", f"--corpus={home}/meu conto.txt", "--output_dir", f"{home}/it's/run"),
        config={**toy.MANIFEST["config"], "corpus": f"{home}/meu conto.txt", "output_dir": f"{home}/it's/run",
                "files": files, "tokenizer": None, "sample_prompt": "/no/path"},
        data={"name": ", ".join(files), "sha256": "d"}, base={"name": f"{home}/base"},
        sample={"text": f"it was in {home}/base"},
    )  # fmt: skip
    public = manifest_for_others(private)
    assert public["command"] == "hf-llm pretrain '--corpus=meu conto.txt' --output_dir run"
    assert public["config"]["corpus"] == "meu conto.txt"
    assert public["config"]["files"] == ["a.txt", "b [2].txt"]
    assert public["data"]["name"] == "a.txt, b [2].txt"
    assert public["config"]["sample_prompt"] == "/no/path"
    assert "ana" not in json.dumps(public)
    card = f"```bash\n{private['command']}\n```\nmade from {home}/base"
    assert card_for_others(card, private) == f"```bash\n{public['command']}\n```\nmade from base"
    assert manifest_for_others(public) == public
