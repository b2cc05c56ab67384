"""Dropout on a CPU whose mask costs no memory and next to no time: each number's place and a seed decide.

torch draws a mask number after number on one thread, and compiled code must wait for it: 58 million a step of GPT-2
small at 4 × 256 tokens, a third of the step. A hash of the place can be computed for sixteen numbers at once, within
the loop that uses it, and again in the backward pass instead of being kept. The hash is Wellons's `lowbias32` (2018).
"""

from collections.abc import Callable

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def with_hashed_dropout(forward: Callable) -> Callable:
    """Return `forward` with `hashed_dropout` wherever it calls torch's dropout."""

    def replaced(*args, **kwargs):
        with _Replace():
            return forward(*args, **kwargs)

    return replaced


def hashed_dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:  # the signature is torch.nn.functional.dropout's
    """Return (…) with each number 0 with probability `p`, else divided by 1 - p. Two numbers are drawn for the seed."""
    if not training or p == 0:
        return input
    seed = torch.randint(-(2**31), 2**31, (2,), dtype=torch.int32)
    place = torch.arange(input.numel(), dtype=torch.int32).view(input.shape)
    keep = _hash(place, seed) >= int((p - 0.5) * 2**32)  # the hash is evenly spread over -2³¹ … 2³¹ - 1
    return torch.where(keep, input * (1 / (1 - p)), 0.0).to(input.dtype)


def _hash(x: torch.Tensor, seed: torch.Tensor) -> torch.Tensor:
    """Return int32 (…) of places (…) and a seed (2,); with one number, two masks would hold the same hashes."""
    x = _fold(x ^ seed[0], 16) * 0x7FEB352D  # wraps around
    x = _fold(x ^ seed[1], 15) * (0x846CA68B - 2**32)
    return _fold(x, 16)


def _fold(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Return x ^ (x >> bits) as of an unsigned x: torch's shift repeats the sign."""
    return x ^ ((x >> bits) & (2 ** (32 - bits) - 1))


class _Replace(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        function = hashed_dropout if function is functional.dropout else function
        return function(*args, **(kwargs or {}))
