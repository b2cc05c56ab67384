"""What every engine can do here: continue a prompt greedily. And the missing-package message that they share."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, Protocol

import numpy as np

from hf_llm.config import UserError

TIE = 1e-4  # logits that are closer are a tie: two programs sum in different orders


class Continuation(NamedTuple):
    """What an engine made of a prompt: its token ids, and the new ones, with the end token where the text ended."""

    prompt_ids: list[int]
    new_ids: list[int]


class Engine(Protocol):
    """A model loaded in another program than PyTorch.

    Attributes:
        precision: Its logits in fp32 are those of transformers within this.
    """

    precision: float

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily by so many tokens, fewer where the text ends."""


def continue_greedily(
    step: Callable[[list[int]], np.ndarray], prompt_ids: list[int], tokens: int, ends: list[int]
) -> Continuation:
    """Choose the likeliest next token again and again.

    Args:
        step: Reads tokens behind those read before, and returns the next one's logits, shape (vocab,).
        prompt_ids: What it reads first.
        tokens: How many to choose.
        ends: Ids that end a text.
    """
    unread, new = prompt_ids, []
    while len(new) < tokens and not (new and new[-1] in ends):
        new.append(int(np.argmax(step(unread))))
        unread = new[-1:]
    return Continuation(prompt_ids, new)


def engine_package(name: str, extra: str) -> ModuleType:
    """Return an optional package.

    Raises:
        UserError: When it is not installed; names the extra that brings it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(f"{extra} needs a package that is missing ({error}): pip install 'hf_llm[{extra}]'") from None
