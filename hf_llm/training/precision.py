"""What `auto` means on this machine: bf16 where a timed step is faster; once a run, and recorded."""

import logging
import time
from contextlib import nullcontext
from functools import cache

import torch
from accelerate.utils import broadcast_object_list

from hf_llm.config import written
from hf_llm.config.compiler import cpp_compiler
from hf_llm.runs.run import Run
from hf_llm.training.config import TrainingConfig
from hf_llm.training.optimizer_in_backward import optimizer_in_backward
from hf_llm.training.task import Task

logger = logging.getLogger(__name__)

FASTER = 0.95  # bf16 must take at most this fraction of fp32's time; less is noise
SIDE = 256  # of the square products that tell whether a processor is slow at bf16, as one without instructions for it
TIMED = 0.1  # seconds of each
EMULATED = 2.0  # where they take so many times as long as in fp32, no step can be faster in bf16


def resolve(config: TrainingConfig, task: Task, device: torch.device, run: Run | None) -> str:
    """Return the precision, "fp32" or "bf16", as the run has recorded it, and set its number of threads.

    Without a record it is decided now, and with a run recorded: resuming and verifying use the record.
    """
    if run is None:
        return resolve_precision(config, task, device)
    recorded = run.manifest.get("resolved") or {}
    here = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    if recorded.get("device", here) != here:
        logger.warning("the run began on %s and goes on on %s; its numbers may differ", recorded["device"], here)
    run.manifest["resolved"] = recorded = {
        "precision": recorded.get("precision") or resolve_precision(config, task, device),
        "compile": config.compile and cpp_compiler() is not None,
        "attention": getattr(config, "attention", None),
        "threads": recorded.get("threads") or torch.get_num_threads(),
        "device": here,
    }
    run.write_manifest()
    if device.type == "cpu":
        torch.set_num_threads(recorded["threads"])
    return recorded["precision"]


def autocast(precision: str, device: torch.device, cache: bool = True):
    """Return the context of the forward pass. Weights, gradients and moments stay fp32 either way.

    Args:
        precision: "fp32" or "bf16".
        device: Where the model is.
        cache: Keep each weight's bf16 copy until the context ends, for whoever uses a weight again: half the memory of
            the weights. Gradient checkpointing, which makes its copies anew, has nothing from them.

    Not accelerate's `mixed_precision`: its state is one per process, so a second run could not choose anew.
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=cache)


def recomputes(config: TrainingConfig) -> bool:
    """Say whether blocks are computed again in the backward pass; only pretraining has the setting."""
    return getattr(config, "gradient_checkpointing", False)


def resolve_precision(config: TrainingConfig, task: Task, device: torch.device) -> str:
    """Return "fp32" or "bf16"; for "auto" time both on the first micro-batch and leave no trace."""
    if config.precision == "fp32":
        return "fp32"
    slow = bf16_is_slow(device.type)
    if config.precision == "bf16":
        if slow:
            logger.warning(slow)
        return "bf16"
    if slow:  # a step of GPT-2 small, timed in bf16 to decide, would take an hour there
        choice = "fp32"
    else:
        seconds = {precision: _step_seconds(config, task, precision, device) for precision in ("fp32", "bf16")}
        choice = "bf16" if seconds["bf16"] <= FASTER * seconds["fp32"] else "fp32"
    return broadcast_object_list([choice])[0]  # all processes take the first one's


def bf16_is_slow(device_type: str) -> str | None:
    """Return the sentence that says so where bf16 is slow on this processor; else, and on a GPU, None."""
    if device_type != "cpu" or (times := bf16_slowdown()) < EMULATED:
        return None
    return (
        f"bf16 is slow on this processor: a matrix product takes {times:.0f} times as long as in fp32; "
        f"set {written('precision')} to fp32 or auto"
    )


@cache
def bf16_slowdown() -> float:
    """Return the time of a matrix product in bf16 over that in fp32 on one thread of this CPU, timed for 0.2 s.

    An AVX2 processor, which emulates bf16, takes 30 to 100 times as long. On one thread, since two wait for each other
    where somebody else has a core: then fp32 would seem as slow, and a step be timed after all.
    """

    def seconds(dtype: torch.dtype) -> float:
        square, times = torch.ones(SIDE, SIDE, dtype=dtype), []
        while len(times) < 3 or sum(times) < TIMED:
            start = time.perf_counter()
            square @ square
            times.append(time.perf_counter() - start)
        return min(times)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return seconds(torch.bfloat16) / seconds(torch.float32)
    finally:
        torch.set_num_threads(threads)


def _step_seconds(config: TrainingConfig, task: Task, precision: str, device: torch.device, repeats: int = 3) -> float:
    """Return the fastest of some forward and backward passes, after one to warm up."""
    batch = {name: tensor.to(device) for name, tensor in task.batch(0, 0, 0).items()}
    model, times = task.model.to(device).train(), []
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # where there is no room for all gradients, there is none here either; at rate 0 no weight changes
    freed = optimizer_in_backward(torch.optim.SGD(trained, lr=0.0)) if config.optimizer_in_bwd else nullcontext()
    with freed:
        for _ in range(repeats + 1):
            start = time.perf_counter()
            with autocast(precision, device, cache=not recomputes(config)):
                loss = task.loss(model, batch, task.items(batch))
            loss.backward()
            loss.item()  # waits for a GPU
            del loss
            model.zero_grad(set_to_none=True)
            times.append(time.perf_counter() - start)
    return min(times[1:])
