"""A file of labelled messages that a tiny model can learn to tell apart."""

from itertools import product
from pathlib import Path

import pytest

WORDS = {
    "ham": ("see you at|call me after|thanks for|sorry about", "lunch|the game|class|dinner|work|the film", "ok|love"),
    "spam": ("win a|claim your|free|urgent", "prize|phone|holiday|ringtone|voucher|cash award", "now!|reply YES"),
}


def messages_file(path: Path) -> Path:
    """Write 96 messages, half of each class, and two of them twice; returns the path."""
    lines = [
        f"{label}\t{' '.join(words)}"
        for label, parts in WORDS.items()
        for words in product(*(part.split("|") for part in parts))
    ]
    path.write_text("\n".join([*lines, *lines[:2]]), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def labelled_file(tmp_path_factory) -> Path:
    return messages_file(tmp_path_factory.mktemp("messages") / "messages.tsv")
