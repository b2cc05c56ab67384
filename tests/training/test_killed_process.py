"""A job of which one process is killed ends as a whole, with an error, and its next launch goes on."""

import json
import os
import signal

import psutil
import pytest
from machines import SETTINGS, end, start, trainers, wait_for_steps

ENDS_WITHIN = 30  # seconds, on every machine

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")


@pytest.mark.parametrize("rank", [pytest.param("0", marks=pytest.mark.stress), "1"])
@pytest.mark.slow
def test_a_killed_process_ends_the_job_and_the_next_launch_goes_on(rank, tmp_path):
    run, output = tmp_path / "run", tmp_path / "output"
    launched = ("--config_file", "configs/accelerate/cpu-2.yaml", "--main_process_port", "0", "scripts/pretrain.py")
    settings = (*SETTINGS, "--save_steps=5", f"--output_dir={run}")
    job = start(*launched, *settings, "--max_steps=1000000", log=output)
    try:
        wait_for_steps(run / "log.jsonl", 7, job)
        processes = trainers(job)
        (victim,) = [each for each in processes if each.environ()["RANK"] == rank]
        victim.kill()
        assert job.wait(timeout=ENDS_WITHIN) != 0
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
    finally:
        end(job)
    again = start(*launched, *settings, "--max_steps=1000000", log=output)
    try:
        steps = len((run / "log.jsonl").read_text(encoding="utf-8").splitlines())
        wait_for_steps(run / "log.jsonl", steps + 3, again)
        manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
        assert manifest["resumed_from"][0] >= 5
        for trainer in trainers(again):  # as a launcher that is asked to stop does
            trainer.send_signal(signal.SIGTERM)
        assert again.wait(timeout=120) != 0
        assert "the same command goes on from there" in output.read_text(encoding="utf-8")
    finally:
        end(again)
