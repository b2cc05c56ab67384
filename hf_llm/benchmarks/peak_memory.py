"""The peak of a process's resident memory, as Linux counts it: `VmHWM` in /proc/self/status."""

from pathlib import Path

from hf_llm.config import require

STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def require_peak() -> None:
    """Refuse where there is no /proc to read the peak from.

    Raises:
        UserError: Anywhere but on Linux.
    """
    require(RESET_PEAK.exists(), "the peak of a process is read from /proc, which only Linux has; run this there")


def start_peak() -> int:
    """Let the peak count from here, since importing may have been higher, and return the resident bytes now."""
    resident = _status("VmRSS")
    RESET_PEAK.write_text("5")
    return resident


def peak_bytes() -> int:
    """Return the most bytes that were resident since `start_peak`."""
    return _status("VmHWM")


def _status(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024
