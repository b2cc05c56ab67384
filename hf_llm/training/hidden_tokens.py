"""What masked language models and encoder–decoders share: windows of a corpus, in which something is hidden."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerFast

from hf_llm.data import BatchPlan
from hf_llm.evaluation.logits import LOGITS
from hf_llm.generation.inference import evaluating
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.corpus import Corpus
from hf_llm.training.task import Task

EVALUATION_BATCH = 32  # windows a forward pass without gradients; fewer where their logits would fill the memory


class HiddenTokens(Task):
    """Windows of `context` tokens that start every `stride` tokens; `hidden` says what of them is to be guessed.

    Args:
        model: As the subclass says.
        corpus: Training and validation tokens.
        tokenizer: That of the corpus, with the subclass's special tokens.
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
        self.validation, self.eval_tokens = corpus.validation, eval_tokens
        self.byte_lengths = token_byte_lengths(tokenizer)  # UTF-8 bytes of each id, (vocab,)
        self.context, self.stride = context, stride
        windows = (len(self.tokens) - context) // stride + 1
        self.plan = BatchPlan(windows, total_batch_size, per_device_batch_size, world_size, seed)

    @abstractmethod
    def hidden(
        self, windows: Sequence[np.ndarray], generators: Sequence[np.random.Generator]
    ) -> dict[str, torch.Tensor]:
        """Return what the model reads of windows, each (T,), and `labels`: what a generator drew of each."""

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `hidden` windows: what is hidden depends on the seed and the window's place in the run alone."""
        starts = self.plan.indices(step, micro_step, rank) * self.stride
        return self.hidden(
            [self.tokens.window(int(start), self.context) for start in starts],
            [np.random.default_rng([self.seed, int(place)]) for place in self.plan.places(step, micro_step, rank)],
        )

    @torch.inference_mode()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return loss in nats per guessed token and bits per byte of the hidden text, the same tokens each time."""
        tokens = len(self.validation) if self.eval_tokens is None else min(len(self.validation), self.eval_tokens)
        starts = range(0, tokens - self.context + 1, self.context)
        at_once = max(1, min(EVALUATION_BATCH, LOGITS // (self.context * len(self.byte_lengths))))  # windows
        nats, size, tokens = 0.0, 0, 0
        with evaluating(model):
            for first in range(0, len(starts), at_once):
                some = starts[first : first + at_once]
                windows = [self.validation.window(start, self.context) for start in some]
                batch = self.hidden(windows, [np.random.default_rng([0, start]) for start in some])
                batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
                nats += self.loss(model, batch, 1).item()
                tokens += self.items(batch)
                labels = batch["labels"].cpu().numpy()
                size += int(self.byte_lengths[labels[labels != -100]].sum())  # special tokens have no bytes
        return {"validation_loss": nats / tokens, "bits_per_byte": nats / math.log(2) / size}
