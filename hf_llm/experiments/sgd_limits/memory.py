"""Memory: what each optimizer stores for every parameter, read from its state and scaled to larger models."""

import pandas as pd
import torch

from hf_llm.experiments.frame import Finding, Study, Tables, exact, select
from hf_llm.experiments.sgd_limits.race import CLASSIC
from hf_llm.experiments.sgd_limits.rules import config_of
from hf_llm.experiments.sgd_limits.text_model import new_task, read_parts, size_of
from hf_llm.models.gpt2 import gpt2_config, parameter_counts
from hf_llm.training.optimizer import make_optimizer

LARGER = {
    "gpt2_small": parameter_counts(gpt2_config("small"))["total"],
    "gpt2_xl": parameter_counts(gpt2_config("xl"))["total"],
    "gpt3": 175_000_000_000,  # Brown et al. 2020
}
TWICE = 1.9  # ratio from which one state counts as twice the other: each tensor has a counter of 4 bytes besides


def measure(study: Study) -> Tables:
    """Take one step with each optimizer and count the bytes of its state: shapes alone decide, whatever the seed."""
    size = size_of(study)
    parts, rows = read_parts(size), []
    for name in study.track(CLASSIC):
        task = new_task(parts, size, seed=0)
        optimizer = make_optimizer(task.model, config_of(name, 1e-3, size.steps, seed=0))
        batch = task.batch(0, 0, 0)
        task.loss(task.model, batch, task.items(batch)).backward()
        optimizer.step()
        parameters, stored = task.model.num_parameters(), state_bytes(optimizer)
        rows.append(
            {"optimizer": name, "parameters": parameters, "bytes": stored, "per_parameter": stored / parameters}
        )
    return {"memory": pd.DataFrame(rows)}


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Return the bytes of all tensors that the optimizer keeps from one step to the next."""
    tensors = [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def per_parameter(tables: Tables, name: str) -> float:
    return float(select(tables["memory"], optimizer=name)["per_parameter"].iloc[0])


def gigabytes(tables: Tables, name: str, model: str = "gpt3") -> float:
    """Return the state of an optimizer for a larger model in GB, by formula: bytes a parameter times parameters."""
    return round(per_parameter(tables, name)) * LARGER[model] / 1e9


def findings(tables: Tables) -> list[Finding]:
    return [
        exact("adam_stores_twice", per_parameter(tables, "adam") / per_parameter(tables, "momentum"), TWICE),
        exact("sgd_stores_nothing", per_parameter(tables, "sgd"), 0.0, side="within"),
    ]


def memory_summary(tables: Tables) -> pd.DataFrame:
    """Return bytes per parameter as measured, and GB of larger models by formula."""
    return pd.DataFrame([
        {"optimizer": name, "per_parameter": per_parameter(tables, name),
         **{model: gigabytes(tables, name, model) for model in LARGER}}
        for name in tables["memory"]["optimizer"]
    ])  # fmt: skip


SUMMARIES = {"memory": memory_summary}
