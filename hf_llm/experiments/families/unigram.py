"""The baseline that reads no context: each token as often as the training text has it."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from hf_llm.experiments.families.models import CAUSAL
from hf_llm.tokenization.tokenizer import document_start
from hf_llm.training.sequence_to_sequence import spans_of
from hf_llm.training.task import Task


class Unigram(nn.Module):
    """Answers as a masked or a sequence-to-sequence model, with the same log-probabilities (vocab,) everywhere."""

    device = torch.device("cpu")

    def __init__(self, log_probabilities: np.ndarray):
        super().__init__()
        self.log_probabilities = torch.from_numpy(log_probabilities)

    def forward(self, input_ids: torch.Tensor, decoder_input_ids: torch.Tensor | None = None) -> SimpleNamespace:
        read = input_ids if decoder_input_ids is None else decoder_input_ids  # (B, T)
        return SimpleNamespace(logits=self.log_probabilities.expand(*read.shape, -1))


def log_probabilities(ids: np.ndarray, vocab_size: int) -> np.ndarray:
    """Return ln p of each id by its count plus one, (vocab_size,), float64."""
    counts = np.bincount(ids, minlength=vocab_size) + 1.0
    return np.log(counts / counts.sum())


def unigram_bits(family: str, judge: Task, train: np.ndarray) -> float:
    """Return bits per byte of what `judge` asks its family for, when `train` (N,) alone is counted."""
    logs = log_probabilities(train, len(judge.tokenizer))
    if family in CAUSAL:
        scored = np.concatenate(list(judge.validation.blocks(1)))
        return float(-logs[scored].sum() / np.log(2) / judge.byte_lengths[scored].sum())
    if family == "t5":  # a target holds so many tokens of text, each sentinel once, and an end
        tokens, spans = spans_of(judge.context)
        shares = np.exp(logs) * tokens
        shares[judge.tokenizer.convert_tokens_to_ids([f"<extra_{number}>" for number in range(spans)])] += 1
        shares[document_start(judge.tokenizer)] += 1
        logs = np.log(shares / shares.sum())
    return judge.evaluate(Unigram(logs))["bits_per_byte"]
