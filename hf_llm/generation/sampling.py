"""From logits to the next token: transformers' own processors, then the likeliest token or a draw.

The processors run in the order of `model.generate()`: repetition penalty (Keskar et al. 2019, CTRL), temperature,
top-k (Fan et al. 2018), top-p, also called nucleus sampling (Holtzman et al. 2020).
"""

import math

import torch
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)  # fmt: skip

from hf_llm.config import UserError
from hf_llm.generation.config import GenerationSettings
from hf_llm.texts import both


class Sampler:
    """Chooses tokens by `settings`, with a generator of its own on `device`: nothing else shifts its draws."""

    def __init__(self, settings: GenerationSettings, device: torch.device):
        self.do_sample = settings.do_sample
        self.generator = torch.Generator(device).manual_seed(settings.seed)
        self.processors = {}  # {name of the setting: its processor}, in the order that they are applied in
        if settings.repetition_penalty != 1:
            self.processors["repetition_penalty"] = RepetitionPenaltyLogitsProcessor(settings.repetition_penalty)
        if settings.do_sample and settings.temperature != 1:
            self.processors["temperature"] = TemperatureLogitsWarper(settings.temperature)
        if settings.do_sample and settings.top_k > 0:
            self.processors["top_k"] = TopKLogitsWarper(settings.top_k)
        if settings.do_sample and settings.top_p < 1:
            self.processors["top_p"] = TopPLogitsWarper(settings.top_p)

    def scores(self, history: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the processed logits in fp32, shape (1, vocab); tokens that are ruled out have -inf.

        Args:
            history: All token ids so far, prompt included, shape (1, T).
            logits: The model's logits for the next token, shape (1, vocab).

        Raises:
            UserError: As `finite` does.
        """
        scores = self.finite(logits)
        for processor in self.processors.values():
            scores = processor(history, scores)
        return scores

    @staticmethod
    def finite(logits: torch.Tensor) -> torch.Tensor:
        """Return a copy of the logits in fp32, since processors write in place.

        Raises:
            UserError: When they hold a NaN or an infinity, -inf apart: a model may rule out tokens itself.
        """
        if not math.isfinite(logits.amax().item()):  # the greatest of several numbers and a NaN is the NaN
            raise UserError(both("generation.diverged"))
        return logits.to(torch.float32, copy=True)

    def __call__(self, history: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token, shape (1, 1); arguments as in `scores`."""
        scores = self.scores(history, logits)
        if self.do_sample:
            return torch.multinomial(scores.softmax(-1), num_samples=1, generator=self.generator)
        return scores.argmax(-1, keepdim=True)
