"""The crash test of both jobs, its records and its verdict."""

import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from hf_llm.benchmarks.crash.harness import PHASES, SAVING, kill_and_resume, survived
from hf_llm.benchmarks.crash.pretrain_job import PretrainJob
from hf_llm.benchmarks.crash.save_state_job import SaveStateJob
from hf_llm.benchmarks.record import conclude

OURS, THEIRS = "hf_llm", "accelerate save_state"
MIN_SAVING_SHARE = 0.3  # of our kills must hit a checkpoint being made; held from so many kills on:
ENOUGH_KILLS = 30


def crash_test(kills: int, save_state_kills: int, seed: int, output_dir: str | None) -> bool:
    """Kill and resume, print a line a kill and the summary; the arguments are those of hf-llm crash_test.

    Our runs keep one and two checkpoints in turn; those of `save_state` have `total_limit` 1 and none in turn.

    Returns:
        Whether all of our runs came to the same end, enough kills hit a checkpoint being made, and some run of
        `save_state` did not come to the same end: a test that cannot fail shows nothing.
    """
    started = time.perf_counter()
    workspace = Path(tempfile.mkdtemp(prefix="crash-test-"))
    records = []
    for name, job, keeps, number in (
        (OURS, PretrainJob(), [1, 2], kills),
        (THEIRS, SaveStateJob(), [1, None], save_state_kills),
    ):
        folder = workspace / name.replace(" ", "-")
        folder.mkdir()
        for record in kill_and_resume(job, keeps, number, seed, folder) if number else ():
            records.append({"job": name, **record})
            print(line(records[-1]), flush=True)
    ours, theirs = ([record for record in records if record["job"] == name] for name in (OURS, THEIRS))
    problems = find_problems(ours, theirs)
    if all(map(survived, ours)):
        shutil.rmtree(workspace)
    else:
        problems.append(f"what is left of the runs is in {workspace}")
    jobs = {name: summary(own) for name, own in ((OURS, ours), (THEIRS, theirs)) if own}
    print(json.dumps(jobs, indent=2))
    seconds = round(time.perf_counter() - started)
    return conclude(output_dir, "kills.jsonl", records, problems, seed=seed, jobs=jobs, seconds=seconds)


def find_problems(ours: list[dict], theirs: list[dict]) -> list[str]:
    """Return a line for each thing that the test did not show."""
    problems = []
    if lost := [record["kill"] for record in ours if not survived(record)]:
        problems.append(f"{len(lost)} of {len(ours)} runs did not come to the same end: kills {lost}")
    saving = sum(record["phase"] in SAVING for record in ours)
    if len(ours) >= ENOUGH_KILLS and saving < MIN_SAVING_SHARE * len(ours):
        problems.append(f"only {saving} of {len(ours)} kills hit {', '.join(SAVING)}")
    if theirs and all(map(survived, theirs)):
        problems.append(f"all runs of {THEIRS} survived: this test may be unable to fail")
    return problems


def summary(records: list[dict]) -> dict:
    """Count the kills by phase, and those that the runs survived."""
    phases = Counter(record["phase"] for record in records)
    return {
        "kills": len(records),
        "survived": sum(map(survived, records)),
        "phases": {phase: phases[phase] for phase in PHASES if phases[phase]},
        "in_save_rename_prune": sum(phases[phase] for phase in SAVING),
        "in_save_rename_prune_with_one_kept": sum(r["phase"] in SAVING for r in records if r["keep"] == 1),
    }


def line(record: dict) -> str:
    """Return a record as one readable line."""
    kept = f"{record['keep']} kept" if record["keep"] else "all kept"
    end = "same end" if survived(record) else f"LOST: {record['error']}"
    return (
        f"{record['job']} {record['kill']:3d}  {kept:8}  {record['seconds']:6.3f} s into stage {record['stage']:2d}  "
        f"{record['phase']:8}  newest checkpoint {record['checkpoint']:2d}  {end}"
    )
