"""A few environments of scripts/hostile_test.py, and that its verdict can be a bad one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.benchmarks.hostile.draw import AT_IMPORT, DISKS, MODELS, MOUNTED, PATHS, TEXTS, VARIABLES, WEAK_DISKS, draw
from hf_llm.benchmarks.hostile.harness import DONE, REFUSED, ended
from hf_llm.benchmarks.hostile.left import found_below, half_written, outside
from hf_llm.benchmarks.hostile.report import by_class, find_problems, line
from hf_llm.benchmarks.hostile.world import World

ROOT = Path(__file__).parents[2]
CALLS = ["chmod", "flock", "fsync", "fsync of a folder", "statvfs"]
DRAWN = [draw(0, number, can_mount=True) for number in range(1000)]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the commands are watched through /proc")
def test_four_environments_end_well_or_with_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/hostile_test.py", "--environments", "4", "--seed", "1", "--output_dir", tmp_path],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(line) for line in (tmp_path / "environments.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["number"] for record in records] == list(range(4))
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["passed"]


def test_a_number_always_draws_the_same_and_all_is_drawn():
    assert [draw(0, number, can_mount=True) for number in range(1000)] == DRAWN
    for axis, values in {
        "disk": DISKS, "path": PATHS, "variables": VARIABLES, "text": TEXTS, "model": MODELS,
    }.items():  # fmt: skip
        assert {getattr(environment, axis) for environment in DRAWN} == set(values)
    assert set(WEAK_DISKS) <= set(DISKS)
    assert set(AT_IMPORT) <= set(VARIABLES)
    assert not {draw(0, number, can_mount=False).disk for number in range(1000)} & set(MOUNTED)


@pytest.mark.parametrize(
    ("code", "output", "said", "outcome"),
    [
        (0, "", [], DONE),
        (2, "error: no", ["error: no"], REFUSED),
        (2, "", [], "no line, or several"),
        (2, "", ["error: a", "error: b"], "no line, or several"),
        (1, "Traceback (most recent call last)", ["error: no"], "a traceback"),
        (0, "", ["error: no"], "done, and an error"),
        (-9, "", [], "no line, or several"),
        (None, "", [], "did not end"),
    ],
)
def test_an_end_is_judged_by_the_code_and_what_was_printed(code, output, said, outcome):
    assert ended(DRAWN[0]._replace(command="generate"), code, output, said).startswith(outcome)


@pytest.fixture
def world(tmp_path) -> World:
    """A workspace in which a command has worked, or has not."""
    for name in ("cwd/run", "home", "tmp", "out"):
        (tmp_path / name).mkdir(parents=True)
    return World(None, tmp_path, tmp_path / "cwd/run", None)


@pytest.mark.parametrize("strange", ["cwd/.run.tmp", "cwd/~", "home/run", "tmp/verify-1", "inputs"])
def test_what_is_left_outside_is_seen(world, strange):
    before = found_below(world)
    (world.folder / "model.safetensors").touch()
    (world.workspace / "home/.cache").mkdir()
    assert outside(world, before) == ""
    (world.workspace / strange).mkdir()
    assert strange in outside(world, before)


@pytest.mark.parametrize(
    ("command", "name", "content", "problem"),
    [
        ("pretrain", "model.safetensors", "half", "does not load"),
        ("pretrain", "checkpoints/.step-000002.tmp/state.json", "{}", "left checkpoints/.step-000002.tmp"),
        ("pretrain", ".publish", "", "left .publish"),
        ("train_tokenizer", "tokenizer.json", "{", "does not load"),
        ("prepare_corpus", "corpus.json", "{}", "does not load"),
        ("pretrain", ".lock", "", ""),
        ("pretrain", "checkpoints/step-000002/state.json", "{}", ""),
        ("pretrain", ".DS_Store", "", ""),
        ("generate", "model.safetensors", "half", ""),
    ],
)
def test_what_is_half_written_is_seen(world, command, name, content, problem):
    (world.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (world.folder / name).write_text(content)
    found = half_written(DRAWN[0]._replace(command=command), world, done=False)
    assert problem in found
    assert bool(found) == bool(problem)


def test_done_without_a_result_is_seen(world):
    assert "nothing is there" in half_written(DRAWN[0]._replace(command="pretrain"), world, done=True)


def record(number: int = 0, outcome: str = DONE, **more) -> dict:
    return {**DRAWN[number]._asdict(), "outcome": outcome, "met": CALLS, "said": "", **more}


def test_the_verdict_wants_good_ends_commands_that_end_and_disks_that_are_met():
    many = [record(number) for number in range(200)]
    assert find_problems(many) == []
    assert find_problems([record(outcome="a traceback: x"), record()]) == ["environment 0: a traceback: x"]
    assert "hardly a command" in find_problems([{**each, "outcome": REFUSED} for each in many])[0]
    unmet = [{**each, "met": [call for call in CALLS if call != "chmod"]} for each in many]
    assert find_problems(unmet) == ["no command met a disk without chmod"]
    assert by_class([record(outcome="a traceback: x")], "command") == {DRAWN[0].command: {"failed": 1}}
    line(record(said="caf\udce9")).encode()
