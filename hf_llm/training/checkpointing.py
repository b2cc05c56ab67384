"""What a checkpoint of the loop holds: weights, moments, progress. Dropout and batches need no state of theirs."""

from dataclasses import asdict

import torch
from torch import nn

from hf_llm.runs.run import Run
from hf_llm.training.optimizer import load_optimizer_tensors, optimizer_tensors
from hf_llm.training.progress import Progress


def save(run: Run, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Publish a checkpoint of this step."""
    run.save(
        state=asdict(progress),
        model=weights(model),
        optimizer=optimizer_tensors(model, optimizer),
        is_best=progress.best_step == progress.step,
    )


def resume(run: Run, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Fill model and optimizer from the newest intact checkpoint; a run without one starts at step 0."""

    def load(model_tensors, moments):
        load_weights(model, model_tensors)
        load_optimizer_tensors(model, optimizer, moments)

    state = run.resume(load)
    return Progress(**state) if state else Progress()


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return parameters and persistent buffers by name; a tied matrix appears once."""
    seen, tensors = set(), {}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    return tensors


def load_weights(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Copy tensors that `weights` returned into the model."""
    own = model.state_dict()
    with torch.no_grad():
        for name in weights(model):
            own[name].copy_(tensors[name])
