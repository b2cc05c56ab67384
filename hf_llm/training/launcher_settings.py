"""Where a launcher's configuration wants a training otherwise than its settings say: told once, and not followed.

`accelerate launch` fills these variables from the file that `accelerate config` wrote, which a user may have forgotten.
A run that followed them would say one thing in run.json and its card and have done another.
"""

import logging
import os
from functools import cache

from accelerate import PartialState

from hf_llm.config import require, written
from hf_llm.training.config import TrainingConfig

logger = logging.getLogger(__name__)

NOTHING = ("", "0", "no", "false", "none", "auto")  # of such a value nothing follows that could differ
OTHER_WAYS = ("ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_MEGATRON_LM", "ACCELERATE_USE_PARALLELISM_CONFIG")


def check_processes(config: TrainingConfig, processes: PartialState) -> None:
    """Refuse what one process alone can do where there are several.

    Raises:
        UserError: Says which setting.
    """
    require(
        processes.num_processes == 1 or not config.optimizer_in_bwd,
        f"optimizer_in_bwd frees each gradient before {processes.num_processes} processes can add theirs up; "
        f"start one process, or leave out {written('optimizer_in_bwd')}",
    )


def check_launcher_settings(config: TrainingConfig, precision: str, accumulation: int, processes: PartialState) -> None:
    """Say in one sentence, once per process, which wishes of the environment this training does not follow.

    Args:
        config: Settings.
        precision: "fp32" or "bf16", as it was resolved.
        accumulation: Micro-batches of a step, as total_batch_size makes them.
        processes: Of this launch; the first one speaks.

    Raises:
        UserError: When torch.compile is asked for and switched off.
    """
    off = [name for name in ("TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE") if os.environ.get(name) == "1"]
    require(
        not (config.compile and off),
        f"compile is true, but {' and '.join(off)} switches torch.compile off; unset it, or set compile to false",
    )
    device = processes.device
    compiled = ("inductor", "compile is on") if config.compile else ("no", "compile is off")
    whole = f"each process holds the whole model; {written('shard')} divides it"
    sharded = config.shard and processes.num_processes > 1
    held = "shard divides the model (FSDP2), as its settings say" if sharded else whole
    resolved = {
        "ACCELERATE_MIXED_PRECISION": (precision, f"precision is {precision}"),
        "ACCELERATE_DYNAMO_BACKEND": compiled,
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": (str(accumulation), f"total_batch_size makes {accumulation} of it"),
        "ACCELERATE_GRADIENT_CLIPPING": (f"{config.max_grad_norm:g}", f"max_grad_norm is {config.max_grad_norm:g}"),
        "ACCELERATE_TORCH_DEVICE": (device.type, f"this is {device.type}"),
        "ACCELERATE_USE_FSDP": (str(sharded).lower(), held),
        **dict.fromkeys(OTHER_WAYS, ("false", held)),
    }
    said = {name: os.environ.get(name, "").strip().lower() for name in resolved}
    differing = [
        f"{name}={said[name]}, but {fact}"
        for name, (value, fact) in resolved.items()
        if said[name] not in (*NOTHING, value)
    ]
    if differing and processes.is_main_process:
        _warn(f"the launcher's configuration is not followed where the settings say otherwise: {'; '.join(differing)}")
    if config.shard and processes.num_processes == 1:
        _warn("shard has no effect: there is one process, and it holds the whole model")


@cache
def _warn(sentence: str) -> None:
    logger.warning(sentence)
