"""The fault test, its records and its verdict."""

import contextlib
import io
import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from hf_llm.benchmarks.hub_faults.harness import GOOD, WRONG, FaultHarness
from hf_llm.benchmarks.record import conclude
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

MOST_UNMET = 0.05  # of the faults may lie in wait for a request that is never made


def fault_test(server: Path, faults: int, seed: int, output_dir: str | None) -> bool:
    """Push and pull through drawn faults, print a line each and the summary; arguments as of hf-llm hub_stress.

    Returns:
        Whether each one left the whole or nothing, and some unprotected pull took a wrong file.
    """
    started = time.perf_counter()
    workspace = Path(tempfile.mkdtemp(prefix="hub-faults-"))
    records = []
    with FaultHarness(server, tiny_run(workspace / "verdict"), workspace) as harness:
        for record in harness.records(seed, faults):
            records.append(record)
            print(line(record), flush=True)
    shutil.rmtree(workspace)
    problems = find_problems(records)
    by_fault = {fault: Counter() for fault in sorted({record["fault"] for record in records})}
    for record in records:
        by_fault[record["fault"]][record["outcome"]] += 1
    counts = {
        "outcomes": Counter(record["outcome"] for record in records),
        "unprotected_pulls": Counter(record["unprotected"] for record in records if "unprotected" in record),
    }
    print(json.dumps(counts, indent=2))
    return conclude(
        output_dir, "faults.jsonl", records, problems, seed=seed, faults=len(records), by_fault=by_fault, **counts,
        seconds=round(time.perf_counter() - started),
    )  # fmt: skip


def tiny_run(folder: Path) -> Path:
    """Train a GPT-2 of a few thousand parameters into `folder`, and print nothing of it."""
    config = PretrainConfig(
        output_dir=str(folder), corpus="sample", vocab_size=300, model="nano", n_layer=1, n_head=2, n_embd=16,
        n_positions=16, max_steps=2, warmup_steps=1, total_batch_size=4, per_device_train_batch_size=4,
        eval_steps=1, eval_tokens=64, eval_stride=16, sample_tokens=2, precision="fp32", threads=1,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        pretrain(config)
    return folder


def find_problems(records: list[dict]) -> list[str]:
    """Return a line for each thing that the test did not show."""
    problems = [f"fault {record['number']}: {record['outcome']}" for record in records if record["outcome"] not in GOOD]
    unmet = [record["number"] for record in records if not record["met"]]
    if len(unmet) > MOST_UNMET * len(records):
        problems.append(f"{len(unmet)} of {len(records)} faults did not happen: {unmet}")
    if not any(record.get("unprotected") == WRONG for record in records):
        problems.append("no unprotected pull took a wrong file: this test may be unable to fail")
    return problems


def line(record: dict) -> str:
    """Return a record as one readable line."""
    what = f"{record['number']:4d}  {record['direction']} {record['transport']}  {record['fault']}"
    what += f" at byte {record['byte']:,}" if record["byte"] is not None else ""
    what += f" of {record['request']}" if record["request"] else ""
    what += "" if record["met"] else " (did not happen)"
    unprotected = f"; unprotected: {record['unprotected']}" if "unprotected" in record else ""
    return f"{what}: {record['outcome']}{unprotected}"
