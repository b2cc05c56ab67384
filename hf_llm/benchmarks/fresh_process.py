"""A measurement in a process of its own: memory grows in one direction, and what one leaves behind helps the next."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from hf_llm.config import child_environment, python, require

STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def require_proc() -> None:
    """Raise a `UserError` where there is no /proc to read the peak from."""
    require(RESET_PEAK.exists(), "the peak of a process is read from /proc, which only Linux has; run this there")


def in_fresh_process(module: str, *words: str) -> dict:
    """Call `main()` of `module` with `words` as its arguments and return the line of JSON that it prints last.

    Raises:
        UserError: When it fails; what it says is printed.
    """
    code = f"from {module} import main; main()"
    process = subprocess.run(
        python("-c", code, *words), env=child_environment(), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    require(process.returncode == 0, f"{words} failed with {process.returncode}; its error is printed above")
    return json.loads(process.stdout.splitlines()[-1])


def status(key: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024


def measured(work: Callable[[], object]) -> dict:
    """Return what `work` gives, its seconds and CPU seconds, and the peak of memory above what was there before."""
    before = status("VmRSS")
    RESET_PEAK.write_text("5")  # the peak counts from here; importing may have been higher
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    return {
        "result": found,
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_bytes": max(0, status("VmHWM") - before),
    }
