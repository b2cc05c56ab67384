"""GPT-2 read token by token by the compiled step; the prompt, whose tokens are all there at once, by transformers."""

import psutil
import torch
from transformers import GPT2LMHeadModel

from hf_llm.generation.native.library import library
from hf_llm.generation.native.weights import Precision, readable, size_of, weights_of

SMALL = 8e6  # parameters below which one thread is faster than several that wait for each other


class NativeStep:
    """A text that one model reads; arguments as in `hf_llm.generation.step.Step`."""

    def __init__(self, model: GPT2LMHeadModel, precision: Precision):
        self.model, self.weights = model, weights_of(model, precision)
        config = model.config
        size = config.n_embd // config.n_head
        self.cache = torch.empty(config.n_layer, 2, config.n_head, config.n_positions, size)
        self.logits = torch.empty(1, model.lm_head.out_features)
        self.position = 0
        self.threads = 1 if model.num_parameters() < SMALL else torch.get_num_threads()
        self.step = library().gpt2_step
        self.pointers = (self.cache.data_ptr(), self.logits.data_ptr())

    @torch.inference_mode()
    def begin(self, ids: torch.Tensor) -> torch.Tensor:
        """Read tokens, (1, T), as the beginning of a text; return the next one's logits, (1, vocab)."""
        output = self.model(ids, attention_mask=torch.ones_like(ids), use_cache=True, logits_to_keep=1)
        self.position = ids.shape[1]
        for kept, layer in zip(self.cache, output.past_key_values.layers):
            kept[0, :, : self.position] = layer.keys[0]  # (heads, T, size)
            kept[1, :, : self.position] = layer.values[0]
        return output.logits[:, -1]

    def go_on(self, token: int) -> torch.Tensor:
        """Read one more token; return the next one's logits, (1, vocab), which the next call overwrites."""
        cache, logits = self.pointers
        self.step(self.weights.pointer, cache, token, self.position, logits, self.threads)
        self.position += 1
        return self.logits


def native_step(model: torch.nn.Module, precision: Precision) -> NativeStep | None:
    """Return the compiled step of this model; None where it has none, this machine no compiler, or the copy no room."""
    if not readable(model) or size_of(model, precision) > psutil.virtual_memory().available / 2 or library() is None:
        return None
    return NativeStep(model, precision)
