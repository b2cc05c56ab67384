"""A GPT-2's weights as step.cpp reads them: a copy in one piece of memory, each matrix as (outputs, inputs).

In one piece, since the system can then keep it in pages of 2 MB. With pages of 4 KB a processor spends half of its time
looking up where they lie: GPT-2 small is read at 17 GB/s, and so at 31.

int8 is one byte a weight and one scale for each output of a matrix, its largest weight / 127; biases, norms and the
embeddings that are looked up stay fp32.
"""

import copy
import ctypes
import mmap
import os
import weakref
from contextlib import suppress
from typing import Literal

import torch
from torch import nn
from transformers import GPT2LMHeadModel

Precision = Literal["fp32", "bf16", "int8"]
KINDS = {"fp32": 0, "bf16": 1, "int8": 2}  # enum Kind
WIDTH = {"fp32": 4, "bf16": 2, "int8": 1}  # bytes
LINE = 64  # bytes of a cache line, where a matrix begins

Pointer, Int = ctypes.c_void_p, ctypes.c_int32


class Matrix(ctypes.Structure):
    _fields_ = (("weights", Pointer), ("scales", Pointer), ("bias", Pointer), ("inputs", Int), ("outputs", Int))


class Norm(ctypes.Structure):
    _fields_ = (("gain", Pointer), ("shift", Pointer))


class Block(ctypes.Structure):
    _fields_ = (
        ("attention_norm", Norm), ("query_key_value", Matrix), ("attention_output", Matrix),
        ("mlp_norm", Norm), ("up", Matrix), ("down", Matrix),
    )  # fmt: skip


class Model(ctypes.Structure):
    _fields_ = (
        *((name, Int) for name in ("kind", "layers", "heads", "width", "context", "vocab")),
        ("epsilon", ctypes.c_float),
        ("token_embedding", Pointer), ("position_embedding", Pointer), ("blocks", ctypes.POINTER(Block)),
        ("final_norm", Norm), ("head", Matrix),
    )  # fmt: skip


def readable(model: nn.Module) -> bool:
    """Say whether step.cpp computes what this model does: GPT-2 as it was published, in fp32, on the CPU."""
    if type(model) is not GPT2LMHeadModel or torch.is_autocast_enabled("cpu"):
        return False
    config = model.config
    return (
        config.activation_function == "gelu_new"
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and not config.add_cross_attention
        and all(map(_plain, model.parameters()))
        and not any(map(_is_watched, model.modules()))
    )


def _is_watched(module: nn.Module) -> bool:
    """Say whether somebody hooked into a module's forward pass, or put another in its place, as accelerate does."""
    return bool(module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))


def _plain(weight: torch.Tensor) -> bool:
    return weight.dtype == torch.float32 and weight.device.type == "cpu" and not weight.is_inference()


class Weights:
    """The weights of one model; `pointer` is what `gpt2_step` takes."""

    def __init__(self, model: GPT2LMHeadModel, precision: Precision):
        config, body = model.config, model.transformer
        self.precision, self.kept = precision, []  # and the tensors that the model points to
        self.room = _pages(size_of(model, precision))
        blocks = (Block * config.n_layer)(*map(self._block, body.h))
        self.model = Model(
            kind=KINDS[precision], layers=config.n_layer, heads=config.n_head, width=config.n_embd,
            context=config.n_positions, vocab=model.lm_head.out_features, epsilon=config.layer_norm_epsilon,
            token_embedding=self._address(body.wte.weight), position_embedding=self._address(body.wpe.weight),
            blocks=blocks, final_norm=self._norm(body.ln_f),
            head=self._matrix(model.lm_head.weight, model.lm_head.bias),
        )  # fmt: skip
        self.pointer = ctypes.pointer(self.model)

    def _block(self, block: nn.Module) -> Block:
        attention, mlp = block.attn, block.mlp
        return Block(
            attention_norm=self._norm(block.ln_1),
            query_key_value=self._matrix(attention.c_attn.weight.T, attention.c_attn.bias),
            attention_output=self._matrix(attention.c_proj.weight.T, attention.c_proj.bias),
            mlp_norm=self._norm(block.ln_2),
            up=self._matrix(mlp.c_fc.weight.T, mlp.c_fc.bias),
            down=self._matrix(mlp.c_proj.weight.T, mlp.c_proj.bias),
        )

    def _norm(self, norm: nn.LayerNorm) -> Norm:
        return Norm(self._address(norm.weight), self._address(norm.bias))

    def _matrix(self, weight: torch.Tensor, bias: torch.Tensor | None) -> Matrix:
        """Copy a matrix, (outputs, inputs), into the room."""
        weight, scales = weight.detach(), None
        if self.precision == "bf16":
            weight = weight.to(torch.bfloat16)
        elif self.precision == "int8":
            weight, scales = to_int8(weight)
        size = weight.numel() * WIDTH[self.precision]
        copied = self.room[:size].view(weight.dtype).view(weight.shape).copy_(weight)
        self.room = self.room[_whole_lines(size) :]
        return Matrix(
            weights=self._address(copied), scales=None if scales is None else self._address(scales),
            bias=None if bias is None else self._address(bias),
            inputs=weight.shape[1], outputs=weight.shape[0],
        )  # fmt: skip

    def _address(self, tensor: torch.Tensor) -> int:
        self.kept.append(tensor.detach().contiguous())
        return self.kept[-1].data_ptr()


def matrices(model: GPT2LMHeadModel) -> list[torch.Tensor]:
    """Return the weights that a step reads whole, as (outputs, inputs): Conv1D keeps them the other way round."""
    found = [model.lm_head.weight]
    for block in model.transformer.h:
        layers = (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj)
        found += [layer.weight.T for layer in layers]
    return found


def _whole_lines(size: int) -> int:
    return -(-size // LINE) * LINE


def _pages(size: int) -> torch.Tensor:
    """Return `size` bytes, in large pages where the system has them."""
    # shared memory, which is what mmap gives unasked, has none
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) if os.name == "posix" else bytearray(size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.uint8)


def to_int8(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a matrix, (outputs, inputs), as int8, and the scale of each output: weight ≈ int8 · scale."""
    scales = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    return (weight / scales[:, None]).round_().to(torch.int8), scales


def as_read(model: GPT2LMHeadModel, precision: Precision) -> GPT2LMHeadModel:
    """Return a copy of the model in fp32 that computes what the step does with rounded weights: for tests and scores.

    The embedding that tokens are looked up in is not rounded, so the copy's head is no longer tied to it.
    """
    rounded = copy.deepcopy(model).requires_grad_(False)
    rounded.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone(), requires_grad=False)
    for weight in matrices(rounded):
        if precision == "bf16":
            weight.copy_(weight.to(torch.bfloat16))
        elif precision == "int8":
            whole, scales = to_int8(weight)
            weight.copy_(whole * scales[:, None])
    return rounded


_MADE: "weakref.WeakKeyDictionary[nn.Module, tuple]" = weakref.WeakKeyDictionary()


def weights_of(model: GPT2LMHeadModel, precision: Precision) -> Weights:
    """Return the model's weights; a copy is made once, and again when the model has changed since."""
    state = (precision, *((weight.data_ptr(), weight._version) for weight in model.parameters()))
    made = _MADE.get(model)
    if made is None or made[0] != state:
        _MADE.pop(model, None)  # before the next one is made: two copies may be too much
        _MADE[model] = made = (state, Weights(model, precision))
    return made[1]


def forget(model: nn.Module) -> None:
    """Give the memory of the copy back: a model that learns on will not be read as it is now again."""
    _MADE.pop(model, None)


def size_of(model: GPT2LMHeadModel, precision: Precision) -> int:
    """Return the bytes of the copy."""
    return sum(_whole_lines(weight.numel() * WIDTH[precision]) for weight in matrices(model))
