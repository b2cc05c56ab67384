"""SIGTERM and SIGINT let the step finish; a second one stops at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StopRequest:
    """Becomes true when the run was asked to stop."""

    def __init__(self):
        self.received: int | None = None

    def __bool__(self) -> bool:
        return self.received is not None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGTERM or SIGINT into a `StopRequest` while the body runs."""
    request, previous = StopRequest(), {}

    def receive(number, _frame):
        request.received = number
        signal.signal(number, previous[number])  # the second one does what it always did

    if threading.current_thread() is threading.main_thread():  # only there may handlers be set
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(number, receive)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
