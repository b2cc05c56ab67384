"""The time of a training loop: in all, of one step, and the items per second that it learns from."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median


class Clock:
    """Runs from its making on; evaluating, logging and saving are pauses, which no speed counts.

    Args:
        earlier: Seconds that the run took in earlier processes.
    """

    def __init__(self, earlier: float = 0.0):
        self._began, self._earlier, self._paused = time.perf_counter(), earlier, 0.0
        self._items, self._steps = 0, []

    @contextmanager
    def step(self) -> Iterator[None]:
        """Time one optimizer step."""
        began = time.perf_counter()
        yield
        self._steps.append(time.perf_counter() - began)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Leave out of the speed what the body takes."""
        began = time.perf_counter()
        yield
        self._paused += time.perf_counter() - began

    def count(self, items: int) -> None:
        """Add the items (tokens, images) of a step."""
        self._items += items

    @property
    def seconds(self) -> float:
        """Seconds since the run began, pauses and earlier processes included."""
        return self._earlier + time.perf_counter() - self._began

    @property
    def items_per_second(self) -> float:
        """Items per second of this process's steps so far."""
        return self._items / (time.perf_counter() - self._began - self._paused)

    @property
    def step_seconds(self) -> float | None:
        """Median seconds of a step, without the first; None when there was no second one."""
        return median(self._steps[1:]) if self._steps[1:] else None
