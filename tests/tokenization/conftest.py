"""A small tokenizer of the project's own story, and texts drawn from all of Unicode."""

import random
from collections.abc import Callable

import pytest

from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import train_bpe

SURROGATES = range(0xD800, 0xE000)


@pytest.fixture(scope="session")
def sample() -> str:
    return read_text("sample").text


@pytest.fixture(scope="session")
def tokenizer(sample):
    return train_bpe(sample, 400)


@pytest.fixture(scope="session")
def random_texts() -> Callable[[int], list[str]]:
    """Return so many texts of 1 to 12 characters, each drawn evenly from all 1,112,064 Unicode scalar values."""

    def draw(count: int) -> list[str]:
        generator = random.Random(0)

        def scalar() -> str:
            number = generator.randrange(0x110000 - len(SURROGATES))
            return chr(number if number < SURROGATES.start else number + len(SURROGATES))

        return ["".join(scalar() for _ in range(generator.randint(1, 12))) for _ in range(count)]

    return draw
