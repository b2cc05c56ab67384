"""A GPT-2 made, saved, loaded again and compared, tensor by tensor: does a model of this size work on this machine?

The two models are never in memory together: what is compared is the SHA-256 of each tensor's bytes.
"""

import gc
import hashlib
import shutil
import time
from pathlib import Path

import psutil
import torch
from transformers import GPT2Config, PreTrainedModel

from hf_llm.config import free_bytes, library_folder, require, without_droppings
from hf_llm.models.gpt2 import new_gpt2, parameter_counts
from hf_llm.models.loading import load_causal_lm
from hf_llm.runs.atomic import disk_errors


def round_trip(config: GPT2Config, output_dir: str | Path, seed: int = 0) -> dict[str, float]:
    """Make a GPT-2, save it into `output_dir`, load it again and compare the weights.

    Args:
        config: As `gpt2_config` returns it.
        output_dir: A new or empty folder; afterwards it holds the model.
        seed: Seed of the weights.

    Returns:
        `tensors` compared, `bytes` of the weights on disk, and the seconds `make`, `save` and `load` took.

    Raises:
        UserError: When memory or disk cannot hold the model, the folder is in use, or a tensor came back changed.
    """
    folder = library_folder(output_dir)
    empty = not folder.exists() or (folder.is_dir() and not without_droppings(folder.iterdir()))
    require(empty, f"{folder} is in use; name a new or an empty folder")
    _check_space(4 * parameter_counts(config)["total"], folder)

    clock = time.perf_counter()
    model = new_gpt2(config, seed)
    made, clock = time.perf_counter() - clock, time.perf_counter()
    with disk_errors(f"the model in {folder}"):
        _save(model, folder)
    saved = time.perf_counter() - clock
    before = tensor_hashes(model)
    del model
    gc.collect()  # a model holds reference cycles; without this both would be in memory

    clock = time.perf_counter()
    model = load_causal_lm(folder)
    loaded = time.perf_counter() - clock
    after = tensor_hashes(model)
    changed = [name for name in before if before[name] != after.get(name)]
    require(not changed and len(before) == len(after), f"{folder}: {changed[:1]} came back changed; check the disk")
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return {"tensors": len(after), "bytes": size, "make": made, "save": saved, "load": loaded}


def _save(model: PreTrainedModel, folder: Path) -> None:
    """Save a model into a new or an empty folder; what fails leaves it as it was."""
    was_there = folder.exists()
    try:
        model.save_pretrained(folder)
    except BaseException:
        for path in without_droppings(folder.iterdir()) if folder.is_dir() else ():
            path.unlink(missing_ok=True)
        if folder.is_dir() and not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def tensor_hashes(model: PreTrainedModel) -> dict[str, str]:
    """Return {name of a parameter: SHA-256 of its bytes}; tied parameters come once."""
    return {
        name: hashlib.sha256(tensor.detach().contiguous().view(torch.uint8).numpy()).hexdigest()
        for name, tensor in model.named_parameters()
    }


def _check_space(needed: int, folder: Path) -> None:
    """Refuse what memory or disk cannot hold, before a process is killed or a file is left half written."""
    disk = free_bytes(folder)
    free_at = {"of memory": psutil.virtual_memory().available} | ({} if disk is None else {f"in {folder}": disk})
    for place, free in free_at.items():
        require(
            free > 1.05 * needed,
            f"the weights take {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB {place} are free; take a smaller size",
        )
