"""Masked language modelling, BERT's objective: guess hidden tokens from what stands on both sides of them.

Of 15 % of a window's tokens, 80 % become the mask, 10 % a random token and 10 % stay as they are, so that a model
learns to look at every token (Devlin et al. 2019, section 3.1). Only these tokens count in the loss.
"""

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedTokenizerFast

from hf_llm.data import BatchPlan
from hf_llm.generation.inference import evaluating
from hf_llm.tokenization.corpus import Corpus
from hf_llm.tokenization.tokenizer import token_byte_lengths
from hf_llm.training.task import Task

HIDDEN, MASK, RANDOM = 0.15, 0.8, 0.1  # of a window's tokens; of the hidden ones, the others stay
EVALUATION_BATCH = 32  # windows a forward pass without gradients


def with_mask_token(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Return a copy that has one token more, `<mask>`; text that holds these characters never becomes it."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    return tokenizer


class MaskedLM(Task):
    """A masked language model on windows of `context` tokens that start every `stride` tokens.

    Args:
        model: Returns `.logits` (B, T, vocab) from `input_ids`, as `BertForMaskedLM` does.
        corpus: Training and validation tokens.
        tokenizer: That of the corpus, `with_mask_token`.
        context: Tokens of a window, T.
        stride: Tokens between the starts of two windows.
        total_batch_size, per_device_batch_size, world_size, seed: As in `BatchPlan`.
        eval_tokens: Cap on the validation tokens of whose windows some are hidden and scored; None for all.
    """

    unit = "tokens"

    def __init__(
        self, model: nn.Module, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, *, context: int, stride: int,
        total_batch_size: int, per_device_batch_size: int, world_size: int = 1, seed: int = 0,
        eval_tokens: int | None = None,
    ):  # fmt: skip
        self.model, self.tokens, self.tokenizer, self.seed = model, corpus.train, tokenizer, seed
        self.validation = np.concatenate(corpus.validation.shards)[:eval_tokens]
        self.byte_lengths = token_byte_lengths(tokenizer)  # UTF-8 bytes of each id, (vocab,)
        self.context, self.stride = context, stride
        windows = (len(self.tokens) - context) // stride + 1
        self.plan = BatchPlan(windows, total_batch_size, per_device_batch_size, world_size, seed)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `input_ids` with hidden tokens and `labels`, what these were and -100 elsewhere, both (B, T).

        What is hidden depends on the seed and the window's place in the run, so micro-batches are the big batch.
        """
        starts = self.plan.indices(step, micro_step, rank) * self.stride
        places = self.plan.places(step, micro_step, rank)
        return self._hidden(
            [self.tokens.window(int(start), self.context) for start in starts],
            [np.random.default_rng([self.seed, int(place)]) for place in places],
        )

    def _hidden(self, windows: list[np.ndarray], generators: list[np.random.Generator]) -> dict[str, torch.Tensor]:
        pairs = [hide(window, self.tokenizer, random) for window, random in zip(windows, generators)]
        inputs, labels = (torch.from_numpy(np.stack(part)) for part in zip(*pairs))  # (B, T)
        return {"input_ids": inputs, "labels": labels}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return int((batch["labels"] != -100).sum())

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the cross-entropy of the hidden tokens over n: transformers' own is the mean of the micro-batch."""
        logits = model(input_ids=batch["input_ids"]).logits  # (B, T, vocab)
        return F.cross_entropy(logits.flatten(0, 1).float(), batch["labels"].flatten(), reduction="sum") / n

    @torch.inference_mode()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return loss in nats per hidden token and bits per byte of the hidden text, the same tokens each time."""
        starts = range(0, len(self.validation) - self.context + 1, self.context)
        nats, size, tokens = 0.0, 0, 0
        with evaluating(model):
            for first in range(0, len(starts), EVALUATION_BATCH):
                some = starts[first : first + EVALUATION_BATCH]
                windows = [self.validation[start : start + self.context].astype(np.int64) for start in some]
                batch = self._hidden(windows, [np.random.default_rng([0, start]) for start in some])
                batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
                nats += self.loss(model, batch, 1).item()
                tokens += self.items(batch)
                labels = batch["labels"].cpu().numpy()
                size += int(self.byte_lengths[labels[labels != -100]].sum())
        return {"validation_loss": nats / tokens, "bits_per_byte": nats / math.log(2) / size}


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
