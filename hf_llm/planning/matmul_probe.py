"""How fast this machine is: matrix products, elementwise work, copying, and the cost of a call.

    python -m hf_llm.planning.matmul_probe bf16 --threads 2

One to two seconds of measuring, and as long again until torch is imported: it runs in a process of its own, because
the widest product alone would lift the caller's peak memory by 360 MB.
"""

import argparse
import json
import math
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch

from hf_llm.config import child_environment, one_line, python

MODULE = "hf_llm.planning.matmul_probe"
PATIENCE = 120  # seconds, torch's import on a busy machine included
# (rows, inner, columns): an MLP of GPT-2 small, a square one, its output head; in the order of their cost
SHAPES = ((1024, 768, 3072), (2048, 2048, 2048), (1024, 768, 50257))
BUDGET = 0.6  # seconds of products per precision; a shape that would not fit into what is left of it is left out
WIDE = (1024, 3072)  # the MLP's hidden activations of 1,024 tokens of GPT-2 small: 12.6 MB in fp32
COPY = 1 << 24  # 64 MB in fp32, more than a laptop's caches


class ProbeError(Exception):
    """The speed of this machine could not be measured; the message says why."""


@dataclass(frozen=True)
class Speed:
    """Of one process, in one precision.

    Args:
        flops: Most floating-point operations per second that a matrix product reached.
        activation: Bytes per second: what autograd keeps of GPT-2's activation function in fp32, over the time of its
            forward and backward pass.
        copy: Bytes per second, read and written, of a copy that no cache holds.
        call: Seconds of one operation on a tensor that is too small to matter.
    """

    flops: float
    activation: float
    copy: float
    call: float


@lru_cache
def machine_speed(precision: str, threads: int, device: str = "cpu") -> Speed:
    """Return the speed of `threads` threads, or of the GPU, probed once per process.

    Args:
        precision: "fp32" or "bf16".
        threads: CPU threads.
        device: "cpu" or "cuda".

    Raises:
        ProbeError: When the probe could not run, or answered something else.
    """
    command = python("-m", MODULE, precision, "--threads", str(threads), "--device", device)
    try:
        probe = subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=PATIENCE)
        if probe.returncode == 0:
            return Speed(**json.loads(probe.stdout.splitlines()[-1]))
        reason = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise ProbeError(one_line(reason)[:200])


def measure(precision: str, device: str) -> Speed:
    """Measure in this process."""
    wide = torch.randn(WIDE, device=device, requires_grad=True)
    tiny = torch.randn(4, 4, device=device, requires_grad=True)
    source, target = torch.ones(COPY, device=device), torch.empty(COPY, device=device)
    return Speed(
        flops=_matmul_flops(torch.bfloat16 if precision == "bf16" else torch.float32, device),
        activation=4 * wide.nbytes / _seconds(lambda: _gelu(wide), 0.3, device),  # it keeps four tensors
        copy=2 * source.nbytes / _seconds(lambda: target.copy_(source), 0.1, device),
        call=_seconds(lambda: _gelu(tiny), 0.05, device) / 21,  # 8 operations forward, 13 backward
    )


def _gelu(x: torch.Tensor) -> None:
    """`gelu_new` of transformers, forward and backward."""
    y = 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))
    y.backward(torch.ones_like(x))


def _matmul_flops(dtype: torch.dtype, device: str) -> float:
    best, left = 0.0, BUDGET
    for rows, inner, columns in SHAPES:
        flop = 2 * rows * inner * columns
        if best and 2 * flop / best > left:
            break
        a = torch.randn(rows, inner, dtype=dtype, device=device)
        b = torch.randn(inner, columns, dtype=dtype, device=device)
        out = torch.empty(rows, columns, dtype=dtype, device=device)
        began = time.perf_counter()
        best = max(best, flop / _seconds(lambda: torch.mm(a, b, out=out), 0.2, device))  # noqa: B023
        left -= time.perf_counter() - began
    return best


def _seconds(work: Callable[[], object], budget: float, device: str) -> float:
    """Return the fastest of at least two calls, and of as many as `budget` seconds allow."""
    best, calls, until = math.inf, 0, time.perf_counter() + budget
    while calls < 2 or time.perf_counter() < until:
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        best, calls = min(best, time.perf_counter() - began), calls + 1
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("precision", choices=["fp32", "bf16"])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(json.dumps(asdict(measure(arguments.precision, arguments.device))))


if __name__ == "__main__":
    main()
