"""What is read off the runs of `transformer-dropout`: {(setting, p, seed): what `train_cell` returns}.

The probability of a setting is the one with the best validation, and so is each model's step; the test part, which
chose nothing, judges them.
"""

import numpy as np

from hf_llm.experiments.transformer_dropout.cells import Study

PLAIN = ("all", 0.0)  # the setting that drops nothing


def measured(runs: dict, setting: tuple[str, float], seeds: list[int], measure) -> np.ndarray:
    """Return `measure(run)` of every seed, (seeds,); `setting` is a name and its p."""
    return np.array([measure(runs[*setting, seed]) for seed in seeds])


def best_validation(run: dict) -> float:
    return run["validation"][run["kept"]]


def best_test(run: dict) -> float:
    """Return the test's bits per byte at the step that validation picks."""
    return run["test"][run["kept"]]


def gap(run: dict) -> float:
    """Return validation minus training at the last step, both without dropping: what over-fitting costs."""
    return run["validation"][-1] - run["train"][-1]


def rise(run: dict) -> float:
    """Return how far validation has risen again from its minimum, in bits per byte."""
    return run["validation"][-1] - best_validation(run)


def picked(runs: dict, study: Study, setting: str, seeds: list[int]) -> float:
    """Return the probability above 0 with the lowest mean of `best_validation`."""
    return min(study.probabilities, key=lambda p: measured(runs, (setting, p), seeds, best_validation).mean())
