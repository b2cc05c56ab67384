"""The most memory that this process has held."""

import sys

import psutil
import torch


def peak_memory_bytes() -> int:
    """Return peak resident bytes of this process; on a GPU, what torch allocated there at its peak."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux kibibytes
