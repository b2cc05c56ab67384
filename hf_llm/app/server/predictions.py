"""What a class predicts: how many chose each option of a question, where whoever runs the app wants to know.

Nothing else is kept: not who, not when, not the words; and the counts end with the app.
"""

import threading
from collections import Counter, defaultdict


class Predictions:
    """The counts of all questions; safe to use from several threads."""

    def __init__(self):
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._lock = threading.Lock()

    def add(self, question: str, option: str) -> None:
        with self._lock:
            self._counts[question][option] += 1

    def of(self, question: str) -> dict[str, int]:
        """Return {option: how many chose it} of a question; options that nobody chose are not in it."""
        with self._lock:
            return dict(self._counts[question])
