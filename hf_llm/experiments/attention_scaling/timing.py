"""How long something takes one thread: processor time, so that other programs on the machine disturb it little."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

LEAST = 0.05  # seconds in which a measurement repeats what is shorter: some systems' clocks tick 64 times a second
REPEATS = 2


def seconds(run: Callable[[], object]) -> float:
    """Return the processor seconds of one `run()`, the least of several measurements: nothing makes it too fast."""
    best = np.inf
    for _ in range(REPEATS):
        start, runs, taken = time.process_time(), 0, 0.0
        while taken < LEAST:
            run()
            runs, taken = runs + 1, time.process_time() - start
        best = min(best, taken / runs)
    return best


def exponents(table: pd.DataFrame, value: str) -> np.ndarray:
    """Return for each seed the exponent b of value ∝ length^b, a line's slope on log-log axes, (seeds,)."""
    return np.array([exponent(rows["length"], rows[value]) for _, rows in table.groupby("seed")])


def exponent(lengths, values) -> float:
    """Return the exponent b of values ∝ lengths^b, by least squares on logarithms."""
    return float(np.polyfit(np.log(np.asarray(lengths, float)), np.log(np.asarray(values, float)), 1)[0])
