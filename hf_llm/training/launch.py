"""One process or several: what the launcher says of it, judged before anything is written.

`accelerate launch` and `torchrun` tell each process by six variables which of how many it is. Those are followed where
they name several processes, and nothing else of the environment is: what is trained, and how, is what the settings
say, whatever a launcher's configuration or an earlier shell has left there (launcher_settings.py says where they
differ).

Two launches would pass silently and may not. `accelerate launch` with `distributed_type: MULTI_CPU` starts one process,
and two CPU processes without `ACCELERATE_USE_CPU` each believe that they are alone and write the same files.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import psutil
import torch
from accelerate import PartialState
from accelerate.utils import patch_environment, reduce
from torch import nn
from torch.distributed.fsdp import FSDPModule
from torch.nn.parallel import DistributedDataParallel

from hf_llm.config import UserError, require

logger = logging.getLogger(__name__)

LAUNCHED = ("pretrain", "finetune", "train_mnist")  # the commands that several processes may run
PLACE = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
MPI_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
# what accelerate would read beside the place: other launchers' places, and how its user wants everything trained
NOT_FOLLOWED = ("ACCELERATE_", "PMI_", "OMPI_COMM_WORLD_", "MV2_COMM_WORLD_")
# read by torch's library of convolutions while it loads, so that nothing can be done about it any more
ROUNDING = ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE")
PATIENCE = 20.0  # seconds in which processes that were started together find each other


def start_processes(threads: int = 0) -> PartialState:
    """Join the process group of this launch and set the threads. Called once in a run: by its recipe, else by `train`.

    Args:
        threads: CPU threads of this process; 0 for an equal share of the cores.

    CUDA where there is one and the launcher did not say `--cpu`, else the CPU: Apple's MPS has trained GPT-2 silently
    wrong. fp32 is fp32: no product is rounded to TF32 or bf16 on the way, as variables of torch's libraries ask for.

    Raises:
        UserError: When the launch is not one that this project can join, or a variable would round what is fp32.
    """
    for name in ROUNDING:
        mode = os.environ.get(name, "").strip()
        require(
            mode.upper() in ("", "STRICT"),
            f"{name} is {mode}, which rounds what precision fp32 keeps; unset it: the setting precision decides",
        )
    asked = asked_processes()
    on_cpu = not torch.cuda.is_available() or _is_true("ACCELERATE_USE_CPU")
    # accelerate launch sets OMP_NUM_THREADS=1, which would leave half of the cores idle
    threads = threads or max(1, usable_cores() // local_processes())
    with _only_the_place(asked), _waiting(asked), patch_environment(OMP_NUM_THREADS=threads):
        try:
            state = PartialState(cpu=on_cpu)
        except (RuntimeError, ValueError) as error:  # torch has several, for an address as for a number
            if asked == 1:
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(
                f"the {asked} processes of this launch could not join: {reason}; {_other_launches()}"
            ) from error
    require(
        state.num_processes == asked,
        f"WORLD_SIZE is {asked} but accelerate made {state.num_processes} process here; use: {two_cpu_processes()}",
    )
    torch.set_float32_matmul_precision("highest")
    if state.device.type == "cpu":
        torch.set_num_threads(threads)
    return state


def asked_processes() -> int:
    """Return how many processes the launcher says that there are; what is left over of another launch names none.

    Raises:
        UserError: When there is a number but no place among so many, or another launcher's number.
    """
    asked = _number("WORLD_SIZE") or 1
    if asked <= 1:
        for name in MPI_SIZES:
            size = _number(name) or 1
            require(size <= 1, f"{name} is {size}, but mpirun does not start this; {_other_launches(name)}")
        require(
            not _made_one_of_several(),
            "this launch asked for several processes but started only one (distributed_type: MULTI_CPU does that); "
            f"use: {two_cpu_processes()}",
        )
        return 1
    missing = [name for name in PLACE if name != "LOCAL_WORLD_SIZE" and not os.environ.get(name, "").strip()]
    lacking = f"WORLD_SIZE is {asked} but there is no {', no '.join(missing)}, so no launcher started this"
    require(not missing, f"{lacking}; {_other_launches()}")
    for rank, size in (("RANK", asked), ("LOCAL_RANK", _number("LOCAL_WORLD_SIZE") or asked)):
        require(0 <= _number(rank) < size, f"{rank} is {os.environ[rank]} of {size} processes; {_other_launches()}")
    _number("MASTER_PORT")
    return asked


def two_cpu_processes() -> str:
    """Return how this command is started as two processes; `pretrain` stands for one that never is."""
    program = sys.argv[0]  # scripts/finetune.py, or hf-llm finetune
    name = Path(program).stem if program.endswith(".py") else program.split(" ")[-1]
    script = f"scripts/{name if name in LAUNCHED else LAUNCHED[0]}.py"
    return f"accelerate launch --config_file configs/accelerate/cpu-2.yaml {script}"


def is_first_process() -> bool:
    """Return whether this is the process that writes, before or after the group of processes exists."""
    return asked_processes() == 1 or _number("RANK") == 0


def in_parallel(model: nn.Module, processes: PartialState) -> nn.Module:
    """Return the model on the device of this process, inside DDP where there are several and it is not sharded.

    Not by accelerate's `prepare`: it also compiles, shards or casts as its user's own configuration says.
    """
    if isinstance(model, FSDPModule):  # is there already, with its shares
        return model
    model = model.to(processes.device)
    if processes.num_processes == 1:
        return model
    return DistributedDataParallel(model, device_ids=[processes.device] if processes.device.type == "cuda" else None)


def communicating(parallel: nn.Module, model: nn.Module, now: bool) -> AbstractContextManager:
    """Return the context of one micro-batch: the processes exchange gradients now, or these only add up.

    Args:
        parallel: What `in_parallel` returned.
        model: What is trained in it; of a sharded model it knows the shares, a compiled twin of it does not.
        now: After the last micro-batch of a step.
    """
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(now)
    elif isinstance(parallel, DistributedDataParallel) and not now:
        return parallel.no_sync()
    return nullcontext()


def sum_over_processes(values: list[float], processes: PartialState) -> list[float]:
    """Return each value summed over the processes; float64, so that counts stay exact."""
    if processes.num_processes == 1:
        return values
    return reduce(torch.tensor(values, dtype=torch.float64, device=processes.device), "sum").tolist()


def usable_cores() -> int:
    """Return the physical cores that this process may use."""
    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return min(physical, allowed)


def local_processes() -> int:
    """Return how many processes of this run share this machine."""
    return 1 if asked_processes() == 1 else _number("LOCAL_WORLD_SIZE") or 1


def _number(name: str) -> int | None:
    """Return a variable as a number; None where it is not set, or empty."""
    said = os.environ.get(name, "").strip()
    try:
        return int(said) if said else None
    except ValueError:
        raise UserError(f"{name} is {said!r}, which is no number; {_other_launches(name)}") from None


def _is_true(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "y", "t", "on")


def _other_launches(name: str = "WORLD_SIZE") -> str:
    return f"unset {name} to go on with one process, or for two use: {two_cpu_processes()}"


def _made_one_of_several() -> bool:
    """Return whether `accelerate launch` was asked for several processes and this is the only one.

    It then sets MASTER_ADDR and no WORLD_SIZE. One that it was itself started with is left over from something else.
    """
    try:
        if "MASTER_ADDR" not in os.environ or (parent := psutil.Process().parent()) is None:
            return False
        launches = any(os.path.basename(word).startswith("accelerate") for word in parent.cmdline()[:3])
        return launches and "MASTER_ADDR" not in parent.environ()
    except (psutil.Error, OSError):  # another user's process, or one that has ended
        return False


@contextmanager
def _only_the_place(asked: int) -> Iterator[None]:
    """Show accelerate the place among several processes, or none where there is one, and nothing else of its own."""
    names = NOT_FOLLOWED + PLACE if asked == 1 else NOT_FOLLOWED
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(names)}
    try:
        yield
    finally:
        os.environ |= hidden


@contextmanager
def _waiting(asked: int) -> Iterator[None]:
    """Say what is waited for when the other processes do not come; torch waits for half an hour, deaf to Ctrl-C."""
    if asked == 1:
        yield
        return
    where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    message = f"waiting at {where} for the others of {asked} processes; if there are none, {_other_launches()}"
    timer = threading.Timer(PATIENCE, logger.warning, [message])
    timer.daemon = True
    timer.start()
    in_main = threading.current_thread() is threading.main_thread()
    # the system's own answer ends the process, which has no file yet
    before = signal.signal(signal.SIGINT, signal.SIG_DFL) if in_main else None
    try:
        yield
    finally:
        timer.cancel()
        if in_main:
            signal.signal(signal.SIGINT, before)
