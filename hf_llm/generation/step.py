"""One step of decoding: the model reads a token behind those that it has read, and says what comes next."""

import logging
from functools import cache
from typing import Protocol

import torch
from transformers import PreTrainedModel

from hf_llm.generation.native.step import native_step
from hf_llm.generation.native.weights import Precision

logger = logging.getLogger(__name__)


class Step(Protocol):
    """A text that one model reads, with its key-value cache."""

    def begin(self, ids: torch.Tensor) -> torch.Tensor:
        """Read tokens, (1, T), as the beginning of a text; return the next one's logits, (1, vocab)."""

    def go_on(self, token: int) -> torch.Tensor:
        """Read one more token; return the next one's logits, (1, vocab), which the next call may overwrite."""


def step_of(model: PreTrainedModel, precision: Precision = "fp32") -> Step:
    """Return the fastest step there is for this model: GPT-2 on a CPU has a compiled one, all else transformers'."""
    step = native_step(model, precision)
    if step is None and precision != "fp32":
        _has_no_effect(precision)
    return step or TransformersStep(model)


@cache
def _has_no_effect(precision: Precision) -> None:
    reason = "only a GPT-2 on a CPU is read so, by the compiled step, where memory has room for it"
    logger.warning("precision %s has no effect: %s", precision, reason)


class TransformersStep:
    """Any causal language model, in the precision that it was loaded in."""

    def __init__(self, model: PreTrainedModel):
        self.model, self.cache = model, None
        self.ids = torch.empty(1, 0, dtype=torch.long)

    def begin(self, ids: torch.Tensor) -> torch.Tensor:
        self.ids, self.cache = ids, None
        return self._read(ids)

    def go_on(self, token: int) -> torch.Tensor:
        new = self.ids.new_tensor([[token]])
        self.ids = torch.cat([self.ids, new], dim=1)
        # a model without a key-value cache (a state space) returns none, and reads the whole text each time
        return self._read(self.ids if self.cache is None else new)

    @torch.inference_mode()
    def _read(self, ids: torch.Tensor) -> torch.Tensor:
        # all of it is text; without a mask transformers would warn that the start token may be padding
        mask = torch.ones_like(self.ids)
        output = self.model(
            input_ids=ids, attention_mask=mask, past_key_values=self.cache, use_cache=True, logits_to_keep=1
        )
        self.cache = getattr(output, "past_key_values", None)
        return output.logits[:, -1]
