"""One process or several: what accelerate made of the launch, checked before anything is written.

`accelerate launch` with `distributed_type: MULTI_CPU` silently starts one process, and two CPU processes without
`ACCELERATE_USE_CPU` each believe that they are alone and write the same files. Neither may pass.
"""

import os

import psutil
import torch
from accelerate import PartialState
from accelerate.utils import reduce

from hf_llm.config import UserError

TWO_CPU_PROCESSES = "accelerate launch --config_file configs/accelerate/cpu-2.yaml scripts/pretrain.py"


def start_processes(threads: int = 0) -> PartialState:
    """Join the process group of this launch and set the threads. Called once in a run: by its recipe, else by `train`.

    Args:
        threads: CPU threads of this process; 0 for an equal share of the cores.

    CUDA where there is one, else the CPU: Apple's MPS has trained GPT-2 silently wrong.

    Raises:
        UserError: When the launch asked for several processes and accelerate made one of it.
    """
    asked = os.environ.get("WORLD_SIZE")
    if asked is None and "MASTER_ADDR" in os.environ:
        raise UserError(
            "this launch asked for several processes but started only one (distributed_type: MULTI_CPU does that); "
            f"use: {TWO_CPU_PROCESSES}"
        )
    state = PartialState(cpu=not torch.cuda.is_available())  # cpu=True makes it independent of ACCELERATE_USE_CPU
    if asked is not None and int(asked) != state.num_processes:
        raise UserError(
            f"WORLD_SIZE is {asked} but accelerate made {state.num_processes} process here; use: {TWO_CPU_PROCESSES}"
        )
    if state.device.type == "cpu":
        # accelerate launch sets OMP_NUM_THREADS=1, which would leave half of the cores idle
        torch.set_num_threads(threads or max(1, usable_cores() // local_processes()))
    return state


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
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))
