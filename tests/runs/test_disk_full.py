import os
from pathlib import Path

import pytest
import toy

from hf_llm.config import UserError
from hf_llm.runs.run import Run, hold_run


def leave_room(disk: Path, kilobytes: int) -> Path:
    """Fill the disk but for so much."""
    filler = disk / "filler"
    free = os.statvfs(disk)
    with open(filler, "wb") as file:
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - kilobytes * 1024)))
    return filler


def test_a_disk_that_fills_anywhere_in_a_save_costs_nothing_that_was_there(mount_tmpfs):
    """A checkpoint here is 32 KB, in pages of 4 KB: each room below that stops the save at another place."""
    disk = mount_tmpfs("size=1m")
    run = Run(disk / "run", dict(toy.MANIFEST), keep=1)
    run.folder.mkdir()
    toy.save(run, 1)
    for kilobytes in range(0, 32, 4):
        filler = leave_room(disk, kilobytes)
        with pytest.raises(UserError, match=r"checkpoint of step 2 .*\(No space left on device\)"):
            run.save({"step": 2}, toy.weights(2), toy.moments(2), is_best=False)
        assert [path.name for path in run.checkpoints.iterdir()] == ["step-000001"]
        filler.unlink()
        assert toy.resume(run)[0]["step"] == 1
    run.save({"step": 2}, toy.weights(2), toy.moments(2), is_best=False)
    assert toy.resume(run)[0]["step"] == 2


def test_a_full_disk_stops_log_and_manifest_with_a_sentence(mount_tmpfs):
    disk = mount_tmpfs("size=1m")
    with hold_run(disk / "run", dict(toy.MANIFEST), keep=1, restart=False) as run:
        run.write_manifest()
        before = (run.folder / "run.json").read_bytes()
        leave_room(disk, 0)
        with pytest.raises(UserError, match=r"log\.jsonl could not be written \(No space"):
            run.log.append({"step": 1, "sample": "a" * 8192})
        run.manifest["sample"] = "a" * 8192
        with pytest.raises(UserError, match=r"run\.json could not be written \(No space"):
            run.write_manifest()
        assert (run.folder / "run.json").read_bytes() == before


def test_a_read_only_disk_gets_a_sentence(mount_tmpfs):
    disk = mount_tmpfs("size=1m,ro")
    for folder in (disk, disk / "run"):
        with (
            pytest.raises(UserError, match=r"cannot be written \(Read-only file system"),
            hold_run(folder, dict(toy.MANIFEST), keep=1, restart=False),
        ):
            pass
