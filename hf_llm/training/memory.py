"""The most memory that this process has held."""

import sys
from pathlib import Path

import psutil
import torch


def peak_memory_bytes() -> int:
    """Return peak resident bytes of this process; on a GPU, what torch allocated there at its peak."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    if sys.platform == "linux":  # ru_maxrss would be that of the parent where it was larger: it survives exec
        status = Path("/proc/self/status").read_text().split()
        return int(status[status.index("VmHWM:") + 1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
