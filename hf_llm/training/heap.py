"""Large tensors on pages of their own, which go back to the system as soon as they are freed.

glibc keeps tensors of up to 32 MiB in one heap, where a step leaves holes that the next one's tensors do not fill:
GPT-2 large took 0.6 GiB more than what lives in it. A page that comes back is cleared by the system first, which takes
time, so this is for trainings that save memory at the price of it. The numbers are the same either way.
"""

import ctypes
import platform

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
LARGE_TENSOR = 4 * 2**20  # bytes; what a step frees below it is too small to leave much


def map_large_tensors() -> None:
    """Let glibc map each tensor of `LARGE_TENSOR` bytes or more by itself, from here on in this process: mallopt(3).

    Other allocators (macOS, Windows, musl) are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_TENSOR)
