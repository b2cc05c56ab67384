"""What glibc does with the memory of freed tensors, by mallopt(3); other allocators (macOS, Windows, musl) have no such
settings, and are left as they are. The numbers are the same either way.

glibc takes a tensor above 32 MiB from the system and gives it back at once, and each time the system fills its pages
with zeros: for GPT-2 small a gigabyte a step, a sixth of its time. Smaller tensors lie in one heap, where a step leaves
holes that the next one's tensors do not fill: 0.6 GiB for GPT-2 large. So there are two ways, for speed and for room.
"""

import ctypes
import platform

import psutil
from torch import nn

from hf_llm.training.launch import local_processes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # of glibc's malloc.h
MAPPED = 65536  # mapped tensors at a time, as glibc has it unless told otherwise
LARGE_TENSOR = 4 * 2**20  # bytes; what a step frees below it is too small to leave much
AS_OFTEN = 4  # times weights, gradients and AdamW's moments must fit into the free memory: holes cost some of it


def keep_freed_memory(model: nn.Module) -> bool:
    """For speed: keep this process's freed memory from here on, and return whether that was done.

    Args:
        model: What will be trained; where memory is short for it, nothing is changed.
    """
    state = 4 * sum(parameter.nbytes for parameter in model.parameters())  # bytes
    if state * AS_OFTEN * local_processes() > psutil.virtual_memory().available:
        return False
    return _mallopt(M_MMAP_MAX, 0) and _mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def map_large_tensors() -> None:
    """For room: let each tensor of `LARGE_TENSOR` bytes or more be mapped by itself, and go back when it is freed."""
    _mallopt(M_MMAP_MAX, MAPPED) and _mallopt(M_MMAP_THRESHOLD, LARGE_TENSOR)


def _mallopt(setting: int, value: int) -> bool:
    return platform.libc_ver()[0] == "glibc" and bool(ctypes.CDLL(None).mallopt(setting, value))
