"""Where a training on the task begins: the same architecture, and other weights.

    scratch       random weights: the task's own examples are all that it will ever see
    pretrained    next-token prediction on general text (`study.base`, by default Shakespeare)
    portuguese    the same on as many tokens of another language: a control, which should be worth less
    messages      the same on the task's own kind of text, without a label: the training messages

All have the tokenizer of the Shakespeare model, so that they read the same tokens; a foreign `study.base` has its own.
"""

import copy
import hashlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from hf_llm.data import LabelledTexts, Text, read_messages, split_messages
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.pretrained_base import TEXT, PretrainedBase, pretrained_base

PORTUGUESE = "dom-casmurro"
PRETRAINED = ("pretrained", "portuguese", "messages")
STARTS = ("scratch", *PRETRAINED)
SPLIT_SEED = 0  # one split for all seeds: what a seed draws are the labels, the new layer and the batches


@lru_cache(maxsize=1)
def message_parts() -> dict[str, LabelledTexts]:
    """Return the distinct messages as `train`, `validation` and `test`."""
    return split_messages(read_messages().messages, SPLIT_SEED)


def base_of(study: Study, start: str) -> PretrainedBase:
    """Return the pretrained model of a start; of `scratch` the one whose shape and tokenizer it has."""
    if start == "portuguese":
        return pretrained_base(study, PORTUGUESE, tokenizer_of=TEXT)
    if start == "messages":
        text = "\n".join(message_parts()["train"].texts)
        unlabelled = Text("sms-without-labels", text, hashlib.sha256(text.encode()).hexdigest())
        return pretrained_base(study, unlabelled, tokenizer_of=TEXT)
    return pretrained_base(study)


def model_of(study: Study, start: str, seed: int) -> PreTrainedModel:
    """Return a causal language model that may be trained: a copy, or of `scratch` a new one drawn by the seed."""
    base = base_of(study, start).model
    if start != "scratch":
        return copy.deepcopy(base)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(copy.deepcopy(base.config))
    model.loss_type = "ForCausalLM"  # transformers guesses it from the class name, fails for GPT-2, and warns
    return model.float().eval()


def shuffled(messages: LabelledTexts, seed: int) -> LabelledTexts:
    """Return the messages with their labels dealt out anew: as many of each class, and nothing to be learned."""
    return replace(messages, labels=np.random.default_rng(seed).permutation(messages.labels))
