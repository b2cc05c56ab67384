"""Two machines, which are two network namespaces with addresses of their own, do what one process does."""

import json
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from machines import SETTINGS, end, start, trainers, two_machines, wait_for_steps

from hf_llm.runs.log import TIMES

pytestmark = pytest.mark.stress
ENDS_WITHIN = 30  # seconds, on every machine


@pytest.fixture(scope="module")
def machines():
    with two_machines() as machines:
        yield machines


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    job = start("--config_file", "configs/accelerate/cpu-1.yaml", "scripts/pretrain.py", *SETTINGS, "--max_steps=12",
                f"--output_dir={folder / 'run'}", log=folder / "output")  # fmt: skip
    assert job.wait(timeout=240) == 0, (folder / "output").read_text()
    return folder / "run"


def launch(machines, folder: Path, *words: str) -> list:
    """Launch one process on each machine, by the static rendezvous, with one run folder."""
    (_, address), *_ = machines
    launched = ("--config_file", "configs/accelerate/cpu-machines-static.yaml", "--main_process_ip", address)
    return [
        start(
            *launched, "--machine_rank", str(number), "scripts/pretrain.py", *SETTINGS, *words,
            f"--output_dir={folder / 'run'}", log=folder / f"output-{number}",
            within=("ip", "netns", "exec", name), GLOO_SOCKET_IFNAME="cable",
        )
        for number, (name, _) in enumerate(machines)
    ]  # fmt: skip


def records(folder: Path) -> list[dict]:
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


@pytest.mark.parametrize("words", [(), ("--shard",)], ids=["ddp", "shard"])
def test_two_machines_do_what_one_process_does(words, machines, one, tmp_path):
    jobs = launch(machines, tmp_path, *words, "--max_steps=12")
    try:
        for number, job in enumerate(jobs):
            assert job.wait(timeout=240) == 0, (tmp_path / f"output-{number}").read_text()
    finally:
        end(*jobs)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert manifest["world_size"] == 2
    for alone, together in zip(records(one), records(tmp_path / "run"), strict=True):
        assert together["loss"] == pytest.approx(alone["loss"], rel=1e-5)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_job_on_both_and_the_next_launch_goes_on(killed, machines, tmp_path):
    words = ("--max_steps=1000000", "--save_steps=5")
    with ExitStack() as stack:
        jobs = launch(machines, tmp_path, *words)
        stack.callback(end, *jobs)
        wait_for_steps(tmp_path / "run" / "log.jsonl", 7, *jobs)
        processes = [process for job in jobs for process in trainers(job)]
        assert len(processes) == 2
        processes[killed].kill()
        for job in jobs:
            assert job.wait(timeout=ENDS_WITHIN) != 0
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
    steps = len(records(tmp_path / "run"))
    with ExitStack() as stack:
        jobs = launch(machines, tmp_path, *words)
        stack.callback(end, *jobs)
        wait_for_steps(tmp_path / "run" / "log.jsonl", steps + 3, *jobs)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert manifest["resumed_from"][0] >= 5
