"""The test in hostile environments, its records and its verdict."""

import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import hf_llm.models.image_classifiers  # noqa: F401 – makes the Auto classes know our own
from hf_llm.benchmarks.hostile.draw import WEAK_DISKS
from hf_llm.benchmarks.hostile.harness import DONE, GOOD, records
from hf_llm.benchmarks.hub_faults.report import tiny_run
from hf_llm.benchmarks.record import conclude
from hf_llm.planning.matmul_probe import machine_speed

AXES = ("command", "disk", "path", "variables", "text", "model")
LEAST_DONE = 0.1  # of the environments must let a command come to its end, or they show little
ENOUGH = 200  # environments, from which on that is asked for, and that each call was refused to some command


def hostile_test(environments: int, seed: int, first: int, output_dir: str | None) -> bool:
    """Run commands in drawn environments, print a line each and the summary; arguments as of hf-llm hostile_test.

    Returns:
        Whether each ended well or with one line, and nothing half written was left.
    """
    started = time.perf_counter()
    workspace = Path(tempfile.mkdtemp(prefix="hostile-")).resolve()
    # the planner probes the machine once a process, for seconds: here, so that the children find it done
    machine_speed("fp32", 1, "cpu")
    model = tiny_run(workspace / "model")
    found = []
    for record in records(seed, first, environments, model, workspace):
        found.append(record)
        print(line(record), flush=True)
    shutil.rmtree(workspace)
    problems = find_problems(found)
    classes = {axis: by_class(found, axis) for axis in AXES}
    print(json.dumps(classes, indent=2, ensure_ascii=False))
    return conclude(
        output_dir, "environments.jsonl", [writable(record) for record in found], problems, seed=seed,
        environments=len(found), outcomes=Counter(record["outcome"][:40] for record in found), classes=classes,
        seconds=round(time.perf_counter() - started),
    )  # fmt: skip


def find_problems(found: list[dict]) -> list[str]:
    """Return a line for each thing that the test did not show."""
    problems = [f"environment {each['number']}: {each['outcome']}" for each in found if each["outcome"] not in GOOD]
    if len(found) < ENOUGH:
        return problems
    if sum(record["outcome"] == DONE for record in found) < LEAST_DONE * len(found):
        problems.append("hardly a command came to its end: these environments show little")
    refused = {call for record in found for call in record["met"]}
    lacking = {call for disk in WEAK_DISKS.values() for call in disk}
    return problems + [f"no command met a disk without {call}" for call in sorted(lacking - refused)]


def by_class(found: list[dict], axis: str) -> dict[str, dict[str, int]]:
    """Return {value: {outcome: how often}} of one axis; what is no good outcome is counted as "failed"."""
    counts = {}
    for record in sorted(found, key=lambda record: record[axis]):
        outcome = record["outcome"] if record["outcome"] in GOOD else "failed"
        counts.setdefault(record[axis], Counter())[outcome] += 1
    return counts


def line(record: dict) -> str:
    """Return a record as one readable line."""
    drawn = [record[axis] for axis in AXES[1:] if record[axis] not in ("ordinary", "plain", "good")]
    said = f" ({record['said'][:100]})" if record["said"] else ""
    what = f"{record['number']:4d}  {record['command']}, {'; '.join(drawn) or 'nothing'}: {record['outcome']}{said}"
    return what.encode("utf-8", "backslashreplace").decode()


def writable(record: dict) -> dict:
    """Return a record whose texts UTF-8 can hold: a message may repeat a name that is none."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for name, value in record.items()
    }
