"""torch.compile, block by block: a Transformer's blocks are one program, so the first step is not a minute late.

GPT-2 small on two cores: 24 s until the first step instead of 37 s, and 10 s where it was compiled before. Compiled
whole, nanoGPT's Shakespeare net is a tenth faster for half a minute of compiling, which its 2,000 steps do not repay.

What is compiled has GPT-2's activation function without a tanh, and a loss that keeps no logits: both compute the same
but for rounding. On a CPU its blocks draw other dropout masks than torch does, from the same seed.
"""

import logging
import math
from types import MethodType

import torch
from torch import nn
from transformers import GPT2LMHeadModel
from transformers.activations import NewGELUActivation

from hf_llm.config.compiler import cpp_compiler
from hf_llm.training.chunked_loss import forward_to_loss
from hf_llm.training.hashed_dropout import with_hashed_dropout

logger = logging.getLogger(__name__)

# on a CPU torch's generator draws, as it does uncompiled: Inductor's own takes four times as long where sdpa drops out
ON_CPU = {"fallback_random": True}


def compiled(model: nn.Module) -> nn.Module:
    """Return a module on the same parameters whose forward pass is compiled; `model` itself stays as it is.

    So it can still be evaluated, and asked to write, on texts of any length, for each of which a compiled one would be
    compiled anew. A model without a list of equal blocks is compiled whole. Without a C++ compiler it is returned
    itself, and that is said.
    """
    if cpp_compiler() is None:
        reason = "torch.compile needs a C++ compiler, and there is none; install g++ or clang++"
        logger.warning("compile has no effect: %s", reason)
        return model
    options = ON_CPU if (on_cpu := next(model.parameters()).device.type == "cpu") else None
    path = blocks_of(model)
    if path is None:
        return torch.compile(model, options=options)
    twin = holder = _twin(model)
    for name in path.split("."):
        setattr(holder, name, _twin(getattr(holder, name)))
        holder = getattr(holder, name)
    for name, original in holder.named_children():
        block = _with_cheap_gelu(original)
        if on_cpu:
            block.forward = with_hashed_dropout(block.forward)
        block.compile(options=options)
        setattr(holder, name, block)
    if type(twin) is GPT2LMHeadModel:
        twin.forward = MethodType(forward_to_loss, twin)
    return twin


class CheapGELU(nn.Module):
    """GPT-2's GELU: 0.5·x·(1 + tanh(u)) is x·sigmoid(2u), and an exponential takes half of a tanh's time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        twice_u = 2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide * wide * wide)
        return (wide * torch.sigmoid(twice_u)).to(x.dtype)


def blocks_of(model: nn.Module) -> str | None:
    """Return the name of the longest list of modules of one class, None where there is no list of two or more."""
    lists = {
        name: len(module)
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) > 1 and len({type(block) for block in module}) == 1
    }
    return max(lists, key=lists.__getitem__, default=None)


def _with_cheap_gelu(module: nn.Module) -> nn.Module:
    if isinstance(module, NewGELUActivation):
        return CheapGELU()
    twin = _twin(module)
    for name, child in module.named_children():
        if any(isinstance(part, NewGELUActivation) for part in child.modules()):  # what has none stays shared
            setattr(twin, name, _with_cheap_gelu(child))
    return twin


def _twin(module: nn.Module) -> nn.Module:
    """Return a module with the same children and parameters, whose children can be replaced."""
    twin = object.__new__(type(module))  # copy.copy would construct a sharded one anew
    twin.__dict__.update(module.__dict__, _modules=dict(module._modules))
    return twin
