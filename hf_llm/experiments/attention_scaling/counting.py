"""What a model does, counted while it runs: floating-point operations, bytes kept for the backward pass, waiting.

None of it is a time: a second run, or another machine, counts the same.
"""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

ATTENTION = {"bmm", "baddbmm"}  # products of two activations: scores, and weighted means of values; in eager attention


def step_flops(model: nn.Module, ids: torch.Tensor) -> dict[str, int]:
    """Return the FLOPs of a training step, forward and backward, in matrix products: the `attention`'s, and the `rest`.

    Elementwise work is not counted. GPT-2 must be in eager attention, whose products are seen one by one.
    """
    with FlopCounterMode(display=False) as counter, step_by_step():
        model(input_ids=ids, attention_mask=mask_of(ids), labels=ids, use_cache=False).loss.backward()
    model.zero_grad(set_to_none=True)
    found = Counter()
    for operation, flops in counter.get_flop_counts()["Global"].items():
        found["attention" if operation.__name__.split(".")[0] in ATTENTION else "rest"] += flops
    return {"attention": found["attention"], "rest": found["rest"]}


@contextmanager
def step_by_step() -> Iterator[None]:
    """Switch oneDNN off inside the block: it does a whole LSTM layer in one operation, which hides its steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # entering it warns about GPUs of another maker
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def mask_of(ids: torch.Tensor) -> torch.Tensor | None:
    """Return a finished attention mask (1, 1, T, T) on the meta device, where transformers cannot look into one."""
    length = ids.shape[1]
    return torch.zeros(1, 1, length, length, device="meta") if ids.is_meta else None


def kept_bytes(model: nn.Module, forward) -> int:
    """Return the bytes that autograd keeps of what `forward()` computes, each storage once, without the weights."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        output = forward()  # held until all is counted: a freed storage's address would be given away again
    del output
    return sum(kept.values())


def longest_chain(output: torch.Tensor) -> int:
    """Return how many operations must wait for one another: the longest path through the graph of the computation.

    What comes out of a recurrent model must have been computed `step_by_step`.
    """
    depth: dict = {}
    stack = [(output.grad_fn, False)]
    while stack:  # no recursion: a recurrent model's graph is thousands of operations deep
        node, finished = stack.pop()
        before = [parent for parent, _ in node.next_functions if parent is not None]
        if finished:
            depth[node] = 1 + max((depth[parent] for parent in before), default=0)
        elif node not in depth:
            stack.append((node, True))
            stack += [(parent, False) for parent in before if parent not in depth]
    return depth[output.grad_fn]
