"""A few kills of the real thing, and the harness on jobs whose fate is known."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_llm.benchmarks.crash.harness import kill_and_resume, survived
from hf_llm.benchmarks.crash.report import find_problems

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="killing needs os.fork")
ROOT = Path(__file__).parents[2]
logger = logging.getLogger("hf_llm.counting")


class CountingJob:
    """Counts in a file; each step takes a hundredth of a second.

    Args:
        atomic: Write beside the file and rename, or into it, half by half.
        forgetful: Start anew where it was killed, but remember that.
    """

    steps = 5

    def __init__(self, atomic: bool = True, forgetful: bool = False):
        self.atomic, self.forgetful = atomic, forgetful

    def run(self, folder: Path, keep: int | None) -> None:
        folder.mkdir(exist_ok=True)
        file, temporary = folder / "count", folder / "count.tmp"
        state = json.loads(file.read_text()) if file.exists() else {"step": 0, "starts": 0}
        state["starts"] += self.forgetful
        while state["step"] < self.steps:
            logger.debug("train")
            time.sleep(0.003)
            state["step"] += 1
            logger.debug("save")
            text = json.dumps(state)
            if self.atomic:
                temporary.write_text(text)
                time.sleep(0.007)
                temporary.replace(file)
            else:
                file.write_text(text[:5])
                time.sleep(0.007)
                file.write_text(text)
        logger.debug("publish")
        time.sleep(0.01)

    def outcome(self, folder: Path) -> dict[str, str]:
        return {"count": hashlib.sha256((folder / "count").read_bytes()).hexdigest()}

    def step(self, folder: Path) -> int:
        return 0


def run_harness(job, folder: Path) -> list[dict]:
    return list(kill_and_resume(job, [1], kills=15, seed=0, workspace=folder))


def test_a_job_that_renames_survives_each_kill(tmp_path):
    records = run_harness(CountingJob(), tmp_path)
    assert len(records) == 15
    assert all(map(survived, records))
    assert {record["phase"] for record in records} >= {"train", "save"}


def test_a_job_that_writes_in_place_is_lost_when_the_kill_hits_the_save(tmp_path):
    records = run_harness(CountingJob(atomic=False), tmp_path)
    lost = [record for record in records if not survived(record)]
    assert lost
    assert {record["phase"] for record in lost} == {"save"}
    assert all("JSONDecodeError" in record["error"] for record in lost)


def test_a_job_that_ends_otherwise_after_a_kill_is_found_out(tmp_path):
    records = run_harness(CountingJob(forgetful=True), tmp_path)
    on_the_way = [record for record in records if record["stage"] > 1 and record["phase"] != "publish"]
    assert on_the_way
    for record in on_the_way:
        assert record["exit_code"] == 0
        assert record["different"] == ["count"]
        assert not survived(record)


@pytest.mark.slow
def test_five_killed_pretrainings_come_to_the_same_end(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/crash_test.py", "--kills", "5", "--save_state_kills", "0", "--seed", "1",
         "--output_dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(line) for line in (tmp_path / "kills.jsonl").read_text().splitlines()]
    assert [record["kill"] for record in records] == list(range(5))
    assert {record["keep"] for record in records} == {1, 2}
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["passed"]
    assert result["jobs"]["hf_llm"]["survived"] == 5


def record(phase: str = "save", exit_code: int = 0) -> dict:
    return {"kill": 0, "phase": phase, "exit_code": exit_code, "different": []}


def test_the_verdict_wants_each_of_ours_enough_saves_and_a_loss_of_theirs():
    assert find_problems([record()] * 30, [record(exit_code=1)]) == []
    assert find_problems([record("train")] * 5, []) == []  # too few to speak of shares
    assert "1 of 31 runs did not come" in find_problems([record()] * 30 + [record(exit_code=1)], [])[0]
    assert "only 8 of 30 kills hit save" in find_problems([record()] * 8 + [record("train")] * 22, [])[0]
    assert "may be unable to fail" in find_problems([record()], [record()] * 15)[0]
