"""What a power cut may take: the order of fsync and rename, asserted from the calls that were really made."""

import os
from pathlib import Path

import pytest
import toy

from hf_llm.runs.run import hold_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders can be synced on POSIX only")


class DiskCalls:
    """Stands between the product and the disk and notes what a power cut could undo.

    A file or folder is on the disk as it was at its last fsync. A name (a folder made, a file or folder renamed into
    place) is on the disk after an fsync of the folder that holds it, which must come before the next rename, be it
    to publish or to prune. Hidden names are nobody's loss.

    Args:
        skip: Leave out the fsync with this number, as a mistake would.
    """

    def __init__(self, monkeypatch, skip: int | None = None):
        self.skip, self.syncs, self.problems = skip, 0, []
        self.on_disk: dict[int, object] = {}  # inode → content at its last fsync
        self.names_at_risk: set[Path] = set()
        self.opened: dict[int, Path] = {}  # descriptor → what was opened
        self.real = {name: getattr(os, name) for name in ("open", "fsync", "replace", "mkdir")}
        for name in self.real:
            monkeypatch.setattr(os, name, getattr(self, name))

    def open(self, path, *args, **kwargs) -> int:
        descriptor = self.real["open"](path, *args, **kwargs)
        self.opened[descriptor] = Path(path)
        return descriptor

    def fsync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.syncs - 1 == self.skip:
            return
        self.real["fsync"](descriptor)
        path = self.opened[descriptor]
        self.on_disk[path.stat().st_ino] = content(path)
        self.names_at_risk = {name for name in self.names_at_risk if name.parent != path}

    def replace(self, source, target) -> None:
        source, target = Path(source), Path(target)
        self.must_be_safe(f"{source.name} became {target.name}")
        if not target.name.startswith("."):
            for path in [source, *source.rglob("*")]:
                if self.on_disk.get(path.stat().st_ino) != content(path):
                    self.problems.append(f"{path.name} was renamed into place before it was on the disk")
            log = target.parent.parent / "log.jsonl"
            if target.name.startswith("step-") and self.on_disk.get(log.stat().st_ino) != content(log):
                self.problems.append("a checkpoint knows more than the log on the disk")
            self.names_at_risk.add(target)
        self.real["replace"](source, target)

    def mkdir(self, path, *args, **kwargs) -> None:
        self.real["mkdir"](path, *args, **kwargs)
        if not Path(path).name.startswith("."):
            self.names_at_risk.add(Path(path))

    def must_be_safe(self, when: str) -> None:
        self.problems += [f"{when} before the name {path.name} was on the disk" for path in self.names_at_risk]


def content(path: Path) -> object:
    """Return what an fsync of `path` puts on the disk: a file's bytes, a folder's names."""
    changed = path.stat().st_mtime_ns  # tells a file from a later one with its inode
    return changed, sorted(os.listdir(path)) if path.is_dir() else path.read_bytes()


def interrupted_run(folder: Path, calls: DiskCalls) -> None:
    """A run from nothing to its third checkpoint, resumed after the second; one checkpoint is kept."""
    for steps in ((1, 2), (3,)):
        with hold_run(folder, dict(toy.MANIFEST), keep=1, restart=False) as run:
            run.write_manifest()
            calls.must_be_safe("write_manifest() returned")
            toy.resume(run)
            calls.must_be_safe("resume() returned")
            for step in steps:
                toy.save(run, step, is_best=step == 1)
                calls.must_be_safe("save() returned")


def test_everything_is_on_the_disk_before_it_is_relied_on(tmp_path, monkeypatch):
    calls = DiskCalls(monkeypatch)
    interrupted_run(tmp_path / "runs" / "run", calls)
    assert calls.problems == []
    assert calls.syncs > 20
    assert sorted(path.name for path in (tmp_path / "runs/run/checkpoints").iterdir()) == ["step-000003"]


def test_the_loss_of_any_one_fsync_is_noticed(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        calls = DiskCalls(patch)
        interrupted_run(tmp_path / "all" / "run", calls)
    unnoticed = []
    for skip in range(calls.syncs):
        with monkeypatch.context() as patch:
            one_less = DiskCalls(patch, skip)
            interrupted_run(tmp_path / f"without-{skip}" / "run", one_less)
            if not one_less.problems:
                unnoticed.append(skip)
    assert unnoticed == []


def test_pruning_before_the_new_one_is_on_the_disk_is_noticed(tmp_path, monkeypatch):
    """The order in which accelerate's `save_state` works with a `total_limit`."""
    calls = DiskCalls(monkeypatch)
    (tmp_path / "step-000001").mkdir()
    (tmp_path / "step-000002").mkdir()
    os.replace(tmp_path / "step-000001", tmp_path / ".step-000001.old")
    assert "step-000001 became .step-000001.old before the name step-000002 was on the disk" in calls.problems


def test_a_published_folder_is_on_the_disk_before_run_json_says_so(tmp_path, monkeypatch):
    from hf_llm.recipes.pretrain import pretrain
    from hf_llm.training.config import PretrainConfig

    config = PretrainConfig(
        output_dir=str(tmp_path / "run"), corpus="sample", vocab_size=270, model="nano", n_layer=1, n_positions=16,
        max_steps=2, warmup_steps=0, total_batch_size=2, per_device_train_batch_size=2, eval_steps=1, eval_tokens=32,
        eval_stride=16, sample_tokens=1, precision="fp32", threads=1,
    )  # fmt: skip
    calls = DiskCalls(monkeypatch)
    manifest = pretrain(config)
    calls.must_be_safe("the run ended")
    assert calls.problems == []
    assert "metrics" in manifest
    for name in manifest["files"]:
        path = tmp_path / "run" / name
        assert calls.on_disk[path.stat().st_ino] == content(path), name
