"""Next-token prediction: windows of a token array, and the validation loss in bits per byte."""

import numpy as np
import torch
from torch import nn

from hf_llm.data import BatchPlan
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.generation.native.weights import forget
from hf_llm.tokenization.corpus import Corpus
from hf_llm.training.task import Task


class CausalLM(Task):
    """A causal language model on windows of `context` tokens that start every `stride` tokens.

    Args:
        model: Returns `.loss` from `input_ids` and `labels`, as `GPT2LMHeadModel` does.
        corpus: Training and validation tokens, each beginning with `<|endoftext|>`, and their tokenizer.
        context: Tokens of a window, T.
        stride: Tokens between the starts of two windows.
        total_batch_size, per_device_batch_size, world_size, seed: As in `BatchPlan`.
        eval_tokens: Cap on the validation tokens that are scored while training.
        input_noise: Fraction of input tokens that are replaced by random ones of the training text, while what follows
            stays: unigram noising (Xie et al. 2017), which keeps a model from learning a short text by heart.
        sample_prompt: What the model continues at each evaluation, for the eye; None writes nothing.
        sample_tokens: How many tokens it then writes.
    """

    unit = "tokens"

    def __init__(
        self, model: nn.Module, corpus: Corpus, *, context: int, stride: int, total_batch_size: int,
        per_device_batch_size: int, world_size: int = 1, seed: int = 0, eval_tokens: int | None = None,
        input_noise: float = 0.0, sample_prompt: str | None = None, sample_tokens: int = 40,
    ):  # fmt: skip
        self.model, self.tokens, self.validation = model, corpus.train, corpus.validation
        self.tokenizer = corpus.tokenizer
        self.byte_lengths = corpus.byte_lengths()  # of the source text, (vocab,)
        self.context, self.stride, self.eval_tokens = context, stride, eval_tokens
        self.input_noise, self.seed, self.sample_prompt = input_noise, seed, sample_prompt
        self.sample_settings = GenerationSettings(max_new_tokens=sample_tokens, seed=seed)
        windows = (len(self.tokens) - context - 1) // stride + 1  # each needs one token more, to predict
        self.plan = BatchPlan(windows, total_batch_size, per_device_batch_size, world_size, seed)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `input_ids` and what follows each of them, `shift_labels`, both (B, T).

        The labels are shifted here, so that a window of T tokens gives T predictions rather than T - 1.
        """
        starts = self.plan.indices(step, micro_step, rank) * self.stride
        windows = np.stack([self.tokens.window(int(start), self.context + 1) for start in starts])  # (B, T + 1)
        windows = torch.from_numpy(windows)
        inputs = windows[:, :-1].clone()  # (B, T)
        if self.input_noise:
            for row, place in enumerate(self.plan.places(step, micro_step, rank)):
                self._disturb(inputs[row], int(place))
        return {"input_ids": inputs, "labels": inputs, "shift_labels": windows[:, 1:].contiguous()}

    def _disturb(self, row: torch.Tensor, place: int) -> None:
        """Replace some of a window's tokens (T,) in place; which ones depends on the seed and the draw alone."""
        random = np.random.default_rng([self.seed, place])
        positions = np.flatnonzero(random.random(self.context) < self.input_noise)
        row[positions] = torch.from_numpy(self.tokens.at(random.integers(len(self.tokens), size=len(positions))))

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return batch["shift_labels"].numel()

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        # a key-value cache, which transformers fills unless told otherwise, would only copy all keys and values
        return super().loss(model, {**batch, "use_cache": False}, n)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return loss in nats per token and bits per byte of the validation part, capped at `eval_tokens`."""
        scores = evaluate_tokens(
            model, self.validation, self.byte_lengths,
            stride=max(1, self.context // 2), context=self.context, max_tokens=self.eval_tokens,
        )  # fmt: skip
        return {"validation_loss": scores.loss, "bits_per_byte": scores.bits_per_byte}

    def scores(self, stride: int | None = None) -> dict[str, float | int | list[float]]:
        """Return loss, perplexity and bits per byte, with their interval, on the whole validation part, in fp32.

        Args:
            stride: Tokens by which the windows slide; None for half the context.
        """
        stride = stride or max(1, self.context // 2)
        scores = evaluate_tokens(
            self.model, self.validation, self.byte_lengths, stride=stride, context=self.context, interval=True
        )
        return {
            "loss": scores.loss,
            "perplexity": scores.perplexity,
            "bits_per_byte": scores.bits_per_byte,
            "bits_per_byte_interval_95": scores.bits_per_byte_interval_95,
            "eval_stride": stride,
        }

    def sample(self, model: nn.Module) -> str | None:
        if self.sample_prompt is None:
            return None
        text = generate(model, self.tokenizer, self.sample_prompt, self.sample_settings).text
        forget(model)
        return text
