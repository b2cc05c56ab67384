"""What training in bf16 ends with, on a processor without instructions for it, at the speed of fp32.

A unit for bf16 multiplies two bf16 numbers and adds the products in fp32 (Intel's VDPBF16PS and TDPBF16PS); a library
rounds the whole sum to bf16 once. So does an fp32 product of the same numbers that is rounded at the end, but for the
order of the sum. torch's own detour on a processor without such a unit takes 14 to 100 times as long as in fp32.

>>> with bf16_products_in_fp32():
...     torch.ones(2, 3, dtype=torch.bfloat16) @ torch.ones(3, 1, dtype=torch.bfloat16)
tensor([[3.],
        [3.]], dtype=torch.bfloat16)
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.library import _scoped_library, get_kernel

# what linear layers, GPT-2's Conv1D and attention written out come down to; compiled blocks take those with `out`
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mm.out", "addmm.out", "bmm.out", "baddbmm.out")


@contextmanager
def bf16_products_in_fp32() -> Iterator[None]:
    """Let each product of bf16 matrices on the CPU be one in fp32, rounded once: in this process, while it lasts."""
    with _scoped_library("aten", "IMPL") as overriding:  # torch has no public way back
        for name in PRODUCTS:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Warning only once for all operators")
                overriding.impl(name, _rounded_once(get_kernel(f"aten::{name}", "CPU")), "CPU", with_keyset=True)
        yield


def _rounded_once(original):
    """Return the kernel `original`, but for bf16: in fp32, then rounded."""

    def product(keys, *operands: torch.Tensor, **given) -> torch.Tensor:
        if operands[-1].dtype != torch.bfloat16:
            return original.call_boxed(keys, *operands, **given)
        exactly = [operand.float() for operand in operands]
        if (out := given.pop("out", None)) is None:
            return original.call_boxed(keys, *exactly, **given).bfloat16()
        exact = torch.empty_like(out, dtype=torch.float32)
        return out.copy_(original.call_boxed(keys, *exactly, **given, out=exact))

    return product
