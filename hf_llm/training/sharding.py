"""FSDP2: each process holds a share of the weights, gradients and moments instead of all of them.

torch's `fully_shard` cuts every parameter along its first dimension. A block's weights come together from all processes
when the block runs, forward and backward, and go again; what is added to a gradient is summed over the processes and
only the own share of it kept (Zhao et al. 2023, "PyTorch FSDP"; the idea is ZeRO, Rajbhandari et al. 2020).

A share is a `DTensor`. Nothing of that leaves the training: a checkpoint holds whole tensors under the names that they
always have, so that it resumes on any number of processes, sharded or not, and `train` hands back a plain model.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from hf_llm.training.compilation import blocks_of

Tensors = dict[str, torch.Tensor]


def shard(model: nn.Module, processes: PartialState) -> nn.Module:
    """Divide the model among the processes, in place: its blocks one by one, then what is around them.

    The same on gloo and on NCCL. Tied weights stay tied: they lie around the blocks, and are one parameter there.

    Returns:
        The same model with no weights in it, which `plain` fills again when the training is over.
    """
    hollow = _on(model, {name: torch.empty_like(weight, device="meta") for name, weight in model.named_parameters()})
    mesh = init_device_mesh(processes.device.type, (processes.num_processes,))
    path = blocks_of(model)
    for block in model.get_submodule(path) if path else ():
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return hollow


def plain(model: nn.Module, hollow: nn.Module, processes: PartialState) -> nn.Module:
    """Return the first process's whole model on its device, as it was before `shard`; in the others it stays hollow."""
    tensors = whole(dict(model.named_parameters()), keep=processes.is_main_process)
    if not processes.is_main_process:
        return hollow
    filled = _on(hollow, tensors)
    buffers = dict(model.named_buffers())  # are not divided; a running mean has moved on
    for name, buffer in filled.named_buffers():
        buffer.copy_(buffers[name])
    return filled.to(processes.device)


@contextmanager
def gathered(model: nn.Module) -> Iterator[None]:
    """Let each process hold all weights while the body runs, which then needs no other process.

    So it may call the model as often as it likes, and any part of it: one process may end a text before another does.
    There are no gradients at that time. A model that is not sharded is whole anyway.
    """
    parts = [part for part in model.modules() if isinstance(part, FSDPModule)] if isinstance(model, FSDPModule) else []
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.set_reshard_after_forward(part is not model, recurse=False)  # what is around the blocks is needed last
            part.reshard()


def full(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor whole; of a share each process must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole(tensors: Tensors, keep: bool) -> Tensors:
    """Return tensors whole, shares of them on the CPU, where they are to be kept, and nothing elsewhere.

    All processes call it. One tensor at a time comes together, so that only the one that keeps them holds them all.
    """
    kept = {}
    for name, tensor in tensors.items():
        complete = full(tensor.detach())
        if keep:
            kept[name] = complete.cpu() if isinstance(tensor, DTensor) else complete
    return kept


def share_like(tensor: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Return this process's share of a whole tensor, divided as `own` is; whole where that is. Nothing is sent."""
    if not isinstance(own, DTensor):
        return tensor
    return distribute_tensor(tensor.to(own.device), own.device_mesh, own.placements, src_data_rank=None)


def bytes_held(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, int]]:
    """Return the bytes of weights and moments that each process holds, in the order of their ranks."""
    moments = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, DTensor)]
    held = {"weights": _bytes(model.parameters()), "moments": _bytes(moments)}
    return gather_object([held])


def _bytes(tensors) -> int:
    local = [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]
    return sum(tensor.numel() * tensor.element_size() for tensor in local)


def _on(model: nn.Module, tensors: Tensors) -> nn.Module:
    """Return a copy of the model on other parameters; what is tied in it is tied in the copy."""
    others = {
        id(weight): nn.Parameter(tensors[name], weight.requires_grad) for name, weight in model.named_parameters()
    }
    return copy.deepcopy(model, others)
