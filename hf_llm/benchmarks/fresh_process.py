"""A measurement in a process of its own: memory grows in one direction, and what one leaves behind helps the next."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

from hf_llm.benchmarks.peak_memory import peak_bytes, start_peak
from hf_llm.config import UserError, child_environment, python


def in_fresh_process(module: str, *words: str) -> dict:
    """Call `main()` of `module` with `words` as its arguments and return the line of JSON that it prints last.

    Raises:
        UserError: When it fails, with the last line of what it says; all of that is printed.
    """
    return json.loads(run_to_end(python("-c", f"from {module} import main; main()", *words)).splitlines()[-1])


def run_to_end(command: list[str]) -> str:
    """Run a command and return what it prints; errors as in `in_fresh_process`."""
    process = subprocess.run(command, env=child_environment(), capture_output=True, text=True, encoding="utf-8")
    print(process.stderr, end="", file=sys.stderr)
    if process.returncode < 0:
        raise UserError(f"it was killed by signal {-process.returncode}: for want of memory, where nobody did it")
    if process.returncode != 0:
        said = process.stderr.strip().splitlines() or [f"it ended with code {process.returncode}"]
        raise UserError(said[-1])
    return process.stdout


def measured(work: Callable[[], object]) -> dict:
    """Return what `work` gives, its seconds and CPU seconds, and the peak of memory above what was there before."""
    before = start_peak()
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    return {
        "result": found,
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_bytes": max(0, peak_bytes() - before),
    }
