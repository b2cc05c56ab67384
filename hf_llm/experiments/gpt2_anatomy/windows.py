"""Windows of the text, and what their tokens cost a model."""

import numpy as np
import torch
from torch import Tensor

from hf_llm.experiments.gpt2_anatomy.training import Grid, read_parts
from hf_llm.tokenization.byte_lengths import token_byte_lengths


def windows_of(grid: Grid, part: str, count: int) -> Tensor:
    """Return `count` windows spread evenly over a part of the text, (count, context + 1): the last token is predicted.

    They do not overlap where the part is long enough.
    """
    ids = read_parts(grid).ids[part].astype(np.int64)
    starts = np.linspace(1, len(ids) - grid.context - 1, count).astype(int)  # 0 is the start token
    return torch.from_numpy(ids[starts[:, None] + np.arange(grid.context + 1)])


def bits_per_byte(grid: Grid, losses: Tensor, targets: Tensor) -> float:
    """Return what tokens cost in bits per byte; `losses` in nats and the ids `targets` have the same shape."""
    lengths = torch.from_numpy(token_byte_lengths(read_parts(grid).corpus.tokenizer))  # (vocab,)
    return float(losses.double().sum() / np.log(2) / lengths[targets].sum())
