"""Masked language modelling, BERT's objective: guess hidden tokens from what stands on both sides of them.

Of 15 % of a window's tokens, 80 % become the mask, 10 % a random token and 10 % stay as they are, so that a model
learns to look at every token (Devlin et al. 2019, section 3.1). Only these tokens count in the loss.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedTokenizerFast

from hf_llm.training.hidden_tokens import HiddenTokens

HIDDEN, MASK, RANDOM = 0.15, 0.8, 0.1  # of a window's tokens; of the hidden ones, the others stay


def with_mask_token(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Return a copy that has one token more, `<mask>`; text that holds these characters never becomes it."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    return tokenizer


class MaskedLM(HiddenTokens):
    """A masked language model on windows of `context` tokens that start every `stride` tokens.

    Args:
        model: Returns `.logits` (B, T, vocab) from `input_ids`, as `BertForMaskedLM` does.
        corpus: Training and validation tokens.
        tokenizer: That of the corpus, `with_mask_token`.
        The others: As in `HiddenTokens`.
    """

    def hidden(
        self, windows: Sequence[np.ndarray], generators: Sequence[np.random.Generator]
    ) -> dict[str, torch.Tensor]:
        """Return `input_ids` with hidden tokens and `labels`, what these were and -100 elsewhere, both (B, T)."""
        pairs = [hide(window, self.tokenizer, random) for window, random in zip(windows, generators)]
        inputs, labels = (torch.from_numpy(np.stack(part)) for part in zip(*pairs))  # (B, T)
        return {"input_ids": inputs, "labels": labels}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return int((batch["labels"] != -100).sum())

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the cross-entropy of the hidden tokens over n: transformers' own is the mean of the micro-batch."""
        logits = model(input_ids=batch["input_ids"]).logits  # (B, T, vocab)
        return F.cross_entropy(logits.flatten(0, 1).float(), batch["labels"].flatten(), reduction="sum") / n


def hide(
    window: np.ndarray, tokenizer: PreTrainedTokenizerFast, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a window (T,) with hidden tokens, and its labels (T,): what these were, and -100 elsewhere."""
    chosen = random.choice(len(window), max(1, round(HIDDEN * len(window))), replace=False)
    labels = np.full_like(window, -100)
    labels[chosen] = window[chosen]
    draws, any_token = random.random(len(chosen)), random.integers(len(tokenizer), size=len(chosen))
    inputs = window.copy()
    inputs[chosen[draws < MASK]] = tokenizer.mask_token_id
    random_ones = (draws >= MASK) & (draws < MASK + RANDOM)
    inputs[chosen[random_ones]] = any_token[random_ones]
    return inputs, labels
