"""scripts/pretrain.py when it is told to stop, when the folder is taken, and when the disk is full."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.checkpoint import load_newest

pytestmark = pytest.mark.stress
ROOT = Path(__file__).parents[2]
SETTINGS = {
    "corpus": "sample", "vocab_size": 270, "model": "nano", "n_positions": 16, "max_steps": 120, "warmup_steps": 2,
    "total_batch_size": 4, "per_device_train_batch_size": 2, "eval_steps": 60, "eval_tokens": 64, "eval_stride": 16,
    "sample_tokens": 1, "logging_steps": 1, "save_steps": 1000, "precision": "fp32", "threads": 1,
}  # fmt: skip


def command(folder: Path, *flags: str, **changes) -> list[str]:
    settings = {**SETTINGS, **changes, "output_dir": folder}
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "scripts/pretrain.py", *words, *flags]


def run(folder: Path, *flags: str, **changes) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, *flags, **changes), cwd=ROOT, capture_output=True, text=True)


def start(folder: Path, lines: int, **changes) -> subprocess.Popen:
    """Start, and return once the log has so many lines."""
    process = subprocess.Popen(
        command(folder, **changes), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    log = folder / "log.jsonl"
    while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < lines):
        time.sleep(0.005)
    return process


def one_sentence(stderr: str) -> str:
    """Return the error, which is all that a person gets to read."""
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    """SHA-256 of the weights of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    return file_sha256(folder / "model.safetensors")


def test_a_terminated_run_saves_says_so_and_goes_on(tmp_path, undisturbed):
    folder = tmp_path / "run"
    process = start(folder, lines=3)
    process.send_signal(signal.SIGSTOP)  # for as long as a second one tries
    second = run(folder)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    assert second.returncode == 2
    assert f"{folder} is in use by another process" in one_sentence(second.stderr)

    sentence = one_sentence(process.communicate()[1])
    assert process.returncode == 2
    (checkpoint,) = (folder / "checkpoints").iterdir()
    assert f"stopped at step {int(checkpoint.name.removeprefix('step-'))} of 120" in sentence
    assert "the same command goes on from there" in sentence
    assert not (folder / "model.safetensors").exists()

    other = run(folder, dropout=0.2)
    assert other.returncode == 2
    assert "holds another run (dropout: 0.1 → 0.2); " in one_sentence(other.stderr)

    resumed = run(folder)
    assert resumed.returncode == 0, resumed.stderr
    assert file_sha256(folder / "model.safetensors") == undisturbed


def test_a_full_disk_stops_with_a_sentence_and_the_run_goes_on_when_there_is_room(mount_tmpfs, undisturbed):
    """The planner sees room enough; then something else fills the disk."""
    disk = mount_tmpfs("size=32m")
    process = start(disk / "run", lines=12, save_steps=10)
    process.send_signal(signal.SIGSTOP)
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - 100_000))  # a checkpoint takes 1.4 MB
    process.send_signal(signal.SIGCONT)
    sentence = one_sentence(process.communicate()[1])
    assert process.returncode == 2
    found = re.search(r"checkpoint of step (\d+) .*\(No space left on device\).*same command", sentence)
    assert found, sentence
    newest = int(found[1]) - 10
    assert load_newest(disk / "run" / "checkpoints").step == newest

    (disk / "filler").unlink()
    resumed = run(disk / "run", save_steps=10)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((disk / "run" / "run.json").read_text())["resumed_from"] == [newest]
    assert file_sha256(disk / "run" / "model.safetensors") == undisturbed
