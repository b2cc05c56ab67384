"""Memory that a training step frees is kept for the next one, where there is enough of it.

glibc takes a tensor above 32 MB from the kernel and gives it back at once: for GPT-2 small a gigabyte a step, whose
pages the kernel fills with zeros each time, a sixth of the step. Other C libraries have no such setting.
"""

import ctypes

import psutil
from torch import nn

# of glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
AS_OFTEN = 4  # times weights, gradients and AdamW's moments must fit into the free memory: holes cost some of it


def keep_freed_memory(model: nn.Module) -> bool:
    """From now on keep this process's freed memory; return whether that was done.

    Args:
        model: What will be trained; where memory is short for it, nothing is changed.
    """
    state = 4 * sum(parameter.nbytes for parameter in model.parameters())  # bytes
    if state * AS_OFTEN > psutil.virtual_memory().available:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # not glibc; Windows has no program of no name
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
