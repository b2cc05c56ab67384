"""GPT-2 as a graph with a key-value cache: what ONNX and OpenVINO export, and what they are asked with.

One graph reads a prompt (with an empty cache) and one token behind it; sequences, cached tokens and the batch may have
any size. transformers' exporters trace it.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import DynamicCache, GPT2LMHeadModel
from transformers.utils import logging as transformers_logging


def sample_inputs(model: GPT2LMHeadModel) -> tuple[dict, dict]:
    """Return the inputs to trace with, and which of their sizes may vary."""
    config = model.config
    batch, past, tokens, head = 2, 3, 2, config.n_embd // config.n_head  # no size that is traced as a constant
    cache = DynamicCache()
    for layer in range(config.n_layer):
        for_each = torch.zeros(2, batch, config.n_head, past, head)  # keys and values
        cache.update(*for_each, layer)
    inputs = {
        "input_ids": torch.ones(batch, tokens, dtype=torch.int64),
        "attention_mask": torch.ones(batch, past + tokens, dtype=torch.int64),
        "position_ids": torch.arange(past, past + tokens).repeat(batch, 1),
        "past_key_values": cache,
    }
    free = torch.export.Dim.AUTO
    sizes = {name: {0: free, 1: free} for name in ("input_ids", "attention_mask", "position_ids")}
    return inputs, {**sizes, "past_key_values": [{0: free, 2: free}] * (2 * config.n_layer)}


@contextmanager
def quietly() -> Iterator[None]:
    """Hold back what exporters say about their own inner workings."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        transformers_logging.set_verbosity(before)
