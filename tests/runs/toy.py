"""A run of a few small tensors, for the tests of the run folder."""

import torch

MANIFEST = {"config": {"seed": 0, "max_steps": 9}, "data": {"sha256": "d"}, "tokenizer": {"sha256": "t"}}


def weights(step: int) -> dict[str, torch.Tensor]:
    return {"layer.weight": torch.full((40, 50), float(step)), "layer.bias": torch.arange(50.0) + step}


def moments(step: int) -> dict[str, torch.Tensor]:
    return {"layer.weight/exp_avg": torch.full((40, 50), -float(step)), "layer.weight/step": torch.tensor(float(step))}


def save(run, step: int, is_best: bool = True) -> None:
    """Log and save as the loop does."""
    run.log.append({"step": step, "loss": 1 / step, "tokens_per_second": 3.0})
    run.save({"step": step, "best_loss": 0.5}, weights(step), moments(step), is_best)


def resume(run) -> tuple[dict | None, dict, dict]:
    """Return state, weights and moments of the newest intact checkpoint."""
    return run.resume() or (None, {}, {})
