"""The state of a training, as a checkpoint holds it: weights, the optimizer's moments, progress.

Dropout and batches need no state of theirs: both depend on the seed and the step alone.
"""

from dataclasses import asdict, fields

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from safetensors.torch import load_file
from torch import nn

from hf_llm.config import advice, require
from hf_llm.runs.run import Run
from hf_llm.training.progress import Progress
from hf_llm.training.sharding import share_like, whole

Tensors = dict[str, torch.Tensor]


def save(run: Run, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Publish a checkpoint of this step, in the process that writes; all call it, since each may hold a share."""
    is_best = progress.best_step == progress.step
    tensors, moments = whole(weights(model), run.writes), whole(_moments(model, optimizer), run.writes)
    if run.writes:
        run.save(asdict(progress), tensors, moments, is_best)


def resume(run: Run, model: nn.Module, optimizer: torch.optim.Optimizer, processes: PartialState) -> Progress:
    """Fill model and optimizer from the newest intact checkpoint; a run without one starts at step 0.

    Raises:
        UserError: When the processes find different checkpoints, as on machines that do not share the run folder.
    """
    saved = run.resume()
    steps = gather_object([saved[0]["step"] if saved else 0])
    require(
        len(set(steps)) == 1,
        f"the {processes.num_processes} processes find different checkpoints in {run.checkpoints} (of the steps "
        f"{', '.join(map(str, steps))}); the run folder must lie on a disk that all machines share"
        f"{advice(output_dir='name another {}')}",
    )
    if saved is None:
        return Progress()
    progress, tensors, moments = saved
    load_weights(model, tensors)
    _load_moments(model, optimizer, moments)
    known = {each.name for each in fields(Progress)}  # another version may count more, or less
    return Progress(**{name: value for name, value in progress.items() if name in known})


def load_best(run: Run, model: nn.Module, progress: Progress) -> int:
    """Fill the model with the weights of the best evaluation and return their step.

    Where there was no evaluation to judge by, or the last one was the best, the last weights stay.
    """
    if progress.best_step in (0, progress.step):
        return progress.step
    load_weights(model, load_file(run.best_weights))
    return progress.best_step


def weights(model: nn.Module) -> Tensors:
    """Return parameters and persistent buffers by name; a tied matrix appears once. Of a sharded model, the shares."""
    once = {name for name, _ in model.named_parameters()}
    again = {name for name, _ in model.named_parameters(remove_duplicate=False)} - once
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in again}


def load_weights(model: nn.Module, tensors: Tensors) -> None:
    """Copy tensors that `weights` returned into the model.

    Raises:
        UserError: When they are of another model, as another version of the code may make it.
    """
    own = model.state_dict()
    names = weights(model).keys()
    other = [name for name in names if name not in tensors or tensors[name].shape != own[name].shape]
    other += [name for name in tensors if name not in names]
    require(
        not other,
        f"the saved weights are of another model ({other[0] if other else ''}): go on with the version that saved them",
    )
    with torch.no_grad():
        for name in names:
            own[name].copy_(share_like(tensors[name], own[name]))


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """Return the optimizer's state as {"parameter/key": tensor}, named by parameter rather than by number."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{names[parameter]}/{key}": torch.as_tensor(value)
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if value is not None
    }


def _load_moments(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `_moments` returned; the learning rate is set anew at each step."""
    parameters = dict(model.named_parameters())
    for name, tensor in tensors.items():
        parameter, key = name.rsplit("/", 1)
        weight = parameters[parameter]
        # fused optimizers keep the step count beside the parameter, others on the CPU
        on_cpu = key == "step" and not (weight.is_cuda and optimizer.defaults.get("fused"))
        tensor = share_like(tensor, weight) if tensor.shape == weight.shape and key != "step" else tensor
        optimizer.state[weight][key] = tensor.to("cpu" if on_cpu else weight.device)
