"""Disks without fsync, flock or chmod: the run goes on, one warning says what is not guaranteed, and a marker locks."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import toy
from weak_disk import MISSING, weaken

from hf_llm.config import UserError, disk, free_bytes, where_possible
from hf_llm.runs import lock
from hf_llm.runs.run import hold_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="flock and chmod are POSIX's")


@pytest.fixture(autouse=True)
def nothing_said_yet():
    disk._said.cache_clear()


@pytest.mark.parametrize("kind", MISSING)
def test_a_run_is_saved_resumed_and_restarted(tmp_path, monkeypatch, caplog, kind):
    weaken(monkeypatch, MISSING[kind])
    for steps in ((1, 2), (3,)):
        with hold_run(tmp_path / "run", dict(toy.MANIFEST), keep=1, restart=False) as run:
            run.write_manifest()
            toy.resume(run)
            for step in steps:
                toy.save(run, step)
    with hold_run(tmp_path / "run", dict(toy.MANIFEST), keep=1, restart=False) as run:
        assert toy.resume(run)[0]["step"] == 3
    with hold_run(tmp_path / "run", dict(toy.MANIFEST), keep=1, restart=True) as run:
        assert toy.resume(run)[0] is None
    assert (tmp_path / "run.1" / "checkpoints" / "step-000003").is_dir()
    said = [record.message for record in caplog.records if "the disk of" in record.message]
    assert len(said) == len(MISSING[kind])  # once each, whatever the number of files
    for call in MISSING[kind]:
        assert any(call in message for message in said)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_full_or_broken_disk_is_no_weak_one(tmp_path, number):
    with pytest.raises(OSError, match=os.strerror(number)), where_possible("sync", tmp_path):
        raise OSError(number, os.strerror(number))


HOLDER = """
import fcntl, os, sys
from pathlib import Path

def refuse(*_):
    raise OSError({number}, os.strerror({number}))

fcntl.flock = refuse
from hf_llm.runs.lock import hold

with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("exchanges", [True, False], ids=["names can be exchanged", "they cannot"])
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_flock_a_marker_keeps_others_out_until_its_process_is_gone(tmp_path, monkeypatch, number, exchanges):
    weaken(monkeypatch, {"flock": number})
    if not exchanges:  # exFAT, SMB
        monkeypatch.setattr("filelock._soft.exchange_names", lambda *_: False)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(number=number), str(tmp_path / "run")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout.readline() == "held\n"
        assert lock.is_held(tmp_path / "run")
        with (
            pytest.raises(lock.InUse, match=r"in use by another process.*remove .*\.held"),
            lock.hold(tmp_path / "run"),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not lock.is_held(tmp_path / "run")
    with lock.hold(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / lock.MARKER).exists()


def test_the_marker_of_another_machine_is_left_alone(tmp_path, monkeypatch):
    weaken(monkeypatch, {"flock": errno.ENOLCK})
    (tmp_path / lock.MARKER).write_text("999999\nlab-07\n")
    with pytest.raises(lock.InUse, match="remove"), lock.hold(tmp_path):
        pass
    (tmp_path / lock.MARKER).unlink()
    with lock.hold(tmp_path):
        pass


def test_a_run_folder_with_a_marker_is_a_runs(tmp_path, monkeypatch):
    weaken(monkeypatch, {"flock": errno.ENOSYS})
    with hold_run(tmp_path, dict(toy.MANIFEST), keep=1, restart=False) as run:
        assert (tmp_path / lock.MARKER).exists()
        run.write_manifest()


def test_a_disk_that_does_not_say_how_full_it_is_has_room(tmp_path, monkeypatch):
    assert free_bytes(tmp_path / "not" / "yet") > 0
    usage = type(disk.shutil.disk_usage(tmp_path))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 0))
    assert free_bytes(tmp_path) is None

    def refuse(_):
        raise OSError(errno.ENOSYS, "")

    monkeypatch.setattr(disk.shutil, "disk_usage", refuse)
    assert free_bytes(tmp_path) is None


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY])
def test_a_folder_that_is_a_disk_of_its_own_cannot_be_moved_aside(tmp_path, monkeypatch, number):
    with hold_run(tmp_path / "run", dict(toy.MANIFEST), keep=1, restart=False) as run:
        run.write_manifest()

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", refuse)
    with (
        pytest.raises(UserError, match="a disk of its own, so name a folder in it"),
        hold_run(tmp_path / "run", dict(toy.MANIFEST), keep=1, restart=True),
    ):
        pass
    assert (tmp_path / "run" / "run.json").exists()
