"""Machines for the tests: network namespaces with addresses of their own, and launches that are watched and killed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = [
    "--corpus=sample", "--model=nano", "--vocab_size=300", "--n_positions=32", "--n_embd=32", "--dropout=0",
    "--total_batch_size=8", "--per_device_train_batch_size=4", "--warmup_steps=4", "--eval_steps=6",
    "--logging_steps=1", "--sample_tokens=8", "--precision=fp32", "--threads=1",
]  # fmt: skip


@contextmanager
def two_machines() -> Iterator[list[tuple[str, str]]]:
    """Make two network namespaces joined by a cable, and give (name, address) of each; skip where that is forbidden."""
    names = [f"hf-llm-{os.getpid()}-{number}" for number in (0, 1)]
    machines = [(name, f"10.211.77.{number + 1}") for number, name in enumerate(names)]
    if shutil.which("ip") is None:
        pytest.skip("there is no ip command (iproute2) to make two machines with")

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1])
        for name, address in machines:
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            for link in ("lo", "cable"):
                ip("-n", name, "link", "set", link, "up")
    except subprocess.CalledProcessError as error:
        _remove(names)
        pytest.skip(f"no network namespace may be made here: {error.stderr.strip()}")
    try:
        yield machines
    finally:
        _remove(names)


def _remove(names: list[str]) -> None:
    for name in names:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def start(*words: str, log: Path, within: tuple[str, ...] = (), **environment: str) -> subprocess.Popen:
    """Start `accelerate launch` with `words` in a session of its own; what it says goes to `log`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ACCELERATE_", "OMP_"))}
    command = [*within, sys.executable, "-m", "accelerate.commands.launch", *words]
    with log.open("a") as file:
        return subprocess.Popen(
            command, cwd=ROOT, env=inherited | environment, stdout=file, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def trainers(launch: subprocess.Popen) -> list[psutil.Process]:
    """Return the processes that train below a launcher."""
    children = psutil.Process(launch.pid).children(recursive=True)
    return [each for each in children if any("scripts/pretrain.py" in word for word in each.cmdline()[:4])]


def wait_for_steps(log: Path, steps: int, *launches: subprocess.Popen, seconds: float = 240) -> None:
    """Wait until a run has logged so many steps; fail where it ends before that."""
    until = time.monotonic() + seconds
    while not log.exists() or len(log.read_text(encoding="utf-8").splitlines()) < steps:
        assert all(launch.poll() is None for launch in launches), "the launch ended before its run was under way"
        assert time.monotonic() < until, f"no {steps} steps within {seconds:g} s"
        time.sleep(0.05)


def end(*launches: subprocess.Popen) -> None:
    """Kill launches that still run, with all that they started."""
    for launch in launches:
        if launch.poll() is None:
            for process in [*psutil.Process(launch.pid).children(recursive=True), launch]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            launch.wait()
