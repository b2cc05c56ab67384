"""A few faults of scripts/hub_stress.py, and that its verdict can be a bad one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.benchmarks.hub_faults.draw import PULL_FAULTS, PUSH_FAULTS, draw
from hf_llm.benchmarks.hub_faults.harness import NOTHING, WHOLE, WRONG, end
from hf_llm.benchmarks.hub_faults.report import find_problems

ROOT = Path(__file__).parents[2]
SIZES = {"README.md": 3000, "config.json": 800, "model.safetensors": 30_000, "figures/loss.png": 60_000}


@pytest.mark.slow
def test_four_faults_leave_all_or_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/hub_stress.py", "--faults", "4", "--seed", "24", "--output_dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(line) for line in (tmp_path / "faults.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["number"] for record in records] == list(range(4))
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["passed"]
    assert result["unprotected_pulls"][WRONG] >= 1


def test_a_number_always_draws_the_same_and_all_kinds_are_drawn():
    draws = [draw(0, number, SIZES, small_disks=True) for number in range(300)]
    assert draws == [draw(0, number, SIZES, small_disks=True) for number in range(300)]
    kinds = {drawn.fault.kind if drawn.fault else "full disk" for drawn in draws}
    assert kinds == {*PUSH_FAULTS, *PULL_FAULTS}
    assert {(drawn.pushes, drawn.xet) for drawn in draws} == {(a, b) for a in (True, False) for b in (True, False)}
    assert all(drawn.fault for drawn in (draw(0, number, SIZES, small_disks=False) for number in range(300)))


def record(outcome: str = NOTHING, **more) -> dict:
    return {"number": 0, "outcome": outcome, "met": True, **more}


def test_the_verdict_wants_all_or_nothing_faults_that_happen_and_one_that_shows():
    shows = record(unprotected=WRONG)
    assert find_problems([record(), record(WHOLE), shows]) == []
    assert find_problems([record("something in between"), shows]) == ["fault 0: something in between"]
    assert "1 of 10 faults did not happen" in find_problems([record(met=False), shows, *[record()] * 8])[0]
    assert "may be unable to fail" in find_problems([record()])[0]


@pytest.mark.parametrize(
    ("exit_code", "said", "whole", "nothing", "outcome"),
    [
        (0, "", True, False, WHOLE),
        (0, "", False, True, "said to be done, but it is not"),
        (2, "why", False, True, NOTHING),
        (2, "why", True, False, "whole, and a sentence"),
        (2, "why", False, False, "something in between"),
        (2, "", False, True, "no sentence"),
    ],
)
def test_an_end_is_judged_by_what_was_said_and_what_is_there(exit_code, said, whole, nothing, outcome):
    assert end({"exit_code": exit_code, "said": said}, whole, nothing) == outcome
