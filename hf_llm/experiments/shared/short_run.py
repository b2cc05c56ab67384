"""The settings of a short training, and the seed that searches for its learning rate."""

from hf_llm.training.config import TrainingConfig

SEARCH_SEED = 1000  # no seed of a comparison, which would then be judged on what chose its settings


def short_run(steps: int, rate: float, seed: int, **changes) -> TrainingConfig:
    """Return the settings: a warm-up, then a cosine down to zero, gradients clipped at norm 1, one thread, no decay."""
    return TrainingConfig(**{
        "max_steps": steps, "learning_rate": rate, "seed": seed, "min_learning_rate_ratio": 0.0,
        "warmup_steps": steps // 10, "max_grad_norm": 1.0, "weight_decay": 0.0, "eval_steps": steps,
        "logging_steps": steps, "precision": "fp32", "threads": 1, **changes,
    })  # fmt: skip
