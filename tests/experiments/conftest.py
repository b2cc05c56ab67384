"""Experiments on a machine that has none of their texts."""

from collections.abc import Iterator

import pytest

from hf_llm.data import MissingData, Text, read_text
from hf_llm.experiments.shared import language_runs


def read_sample(source: str) -> Text:
    if source != "sample":
        raise MissingData("not here")
    return read_text(source)


@pytest.fixture(scope="module")
def only_the_sample() -> Iterator[None]:
    """Leave no text but the embedded sample, on which an experiment then runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_runs, "read_text", read_sample)
        yield
