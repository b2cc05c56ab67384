"""Both modes of the same trained model, side by side: many passes that drop, one that does not.

In training mode each pass drops other places and is another, thinner model; in evaluation mode nothing is dropped.
Averaging what many thinned models predict is Monte Carlo dropout (Gal and Ghahramani 2016, "Dropout as a Bayesian
approximation"); the one pass without dropout is meant as a cheap stand-in for that average (Srivastava et al. 2014,
"Dropout: a simple way to prevent neural networks from overfitting").
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from hf_llm.generation.inference import evaluating

SHOWN = 8  # tokens of the illustration


class Pass(NamedTuple):
    """What one forward pass says."""

    logs: Tensor  # ln p of every token after every position, (B · T, vocab)
    row_sums: Tensor  # what the attention weights of one token add up to, after dropout, (layers, B, heads, T)


@torch.no_grad()
def one_pass(model: PreTrainedModel, inputs: Tensor) -> Pass:
    """Read `inputs`, (B, T), in the mode that the model is in. Needs eager attention, which returns its weights."""
    output = model(input_ids=inputs, attention_mask=torch.ones_like(inputs), use_cache=False, output_attentions=True)
    sums = torch.stack(output.attentions).sum(dim=-1)
    return Pass(output.logits.flatten(0, 1).log_softmax(dim=-1), sums)


def dropping_passes(model: PreTrainedModel, inputs: Tensor, passes: int) -> list[Pass]:
    """Return so many passes in training mode; the n-th of them always drops the same places."""
    with evaluating(model), torch.random.fork_rng(devices=[]):  # both put back what was
        model.train()
        drawn = []
        for number in range(passes):
            torch.default_generator.manual_seed(number)
            drawn.append(one_pass(model, inputs))
    return drawn


def bits_per_byte(logs: Tensor, following: Tensor, byte_lengths: np.ndarray) -> float:
    """Return what the tokens that follow, (B · T), cost under predictions `logs`, (B · T, vocab)."""
    nats = -logs.double().gather(1, following[:, None]).sum().item()
    return nats / math.log(2) / int(byte_lengths[following.numpy()].sum())


def compare_modes(model: PreTrainedModel, windows: Tensor, byte_lengths: np.ndarray, passes: int) -> dict:
    """Measure what so many `passes` in training mode do to the predictions of a trained model, whose mode is kept.

    `windows` are token ids with the one that follows, (B, T + 1); `byte_lengths`, the UTF-8 bytes of each id, (vocab,).

    Returns:
        Bits per byte of `evaluation` mode, of a pass in `training` mode (their mean) and of the passes' `averaged`
        distribution. `repeated`, the largest difference of two evaluation passes. Over all positions, the mean
        `spread` (standard deviation over the passes) of the probability of the token that evaluation mode finds
        likeliest, and `same_token`, the fraction of passes that find the same one likeliest. Mean entropies in bits:
        `entropy` in evaluation mode, `entropy_of_pass`, `entropy_averaged`. Of the sums of attention weights in
        training mode, the mean, `row_sum`, and the mean distance from 1, `row_off`. `next_token`: the illustration.
    """
    inputs, following = windows[:, :-1], windows[:, 1:].flatten()
    with evaluating(model):
        calm, again = one_pass(model, inputs).logs, one_pass(model, inputs).logs
    drawn = dropping_passes(model, inputs, passes)
    averaged = torch.stack([each.logs for each in drawn]).logsumexp(dim=0) - math.log(passes)
    likeliest = calm.argmax(dim=-1, keepdim=True)  # (B · T, 1)
    of_likeliest = torch.stack([each.logs.gather(1, likeliest).exp() for each in drawn])  # (passes, B · T, 1)
    sums = torch.stack([each.row_sums for each in drawn])  # (passes, layers, B, heads, T)
    return {
        "evaluation": bits_per_byte(calm, following, byte_lengths),
        "training": _mean(bits_per_byte(each.logs, following, byte_lengths) for each in drawn),
        "averaged": bits_per_byte(averaged, following, byte_lengths),
        "repeated": (calm - again).abs().max().item(),
        "spread": of_likeliest.std(dim=0).mean().item(),
        "same_token": _mean((each.logs.argmax(dim=-1) == likeliest[:, 0]).float().mean().item() for each in drawn),
        "entropy": entropy(calm),
        "entropy_of_pass": _mean(entropy(each.logs) for each in drawn),
        "entropy_averaged": entropy(averaged),
        "row_sum": sums.mean().item(),
        "row_off": (sums - 1).abs().mean().item(),
        "next_token": _next_token(calm, drawn, position=inputs.shape[1] - 1),
    }


def entropy(logs: Tensor) -> float:
    """Return the mean entropy in bits of distributions given as ln p, (positions, vocab)."""
    return -(logs.exp() * logs).sum(dim=-1).mean().item() / math.log(2)


def _next_token(calm: Tensor, drawn: list[Pass], position: int) -> dict[str, list]:
    """Return the likeliest tokens at one position, and their probabilities in evaluation mode and in every pass."""
    likeliest = calm[position].topk(SHOWN)
    return {
        "ids": likeliest.indices.tolist(),
        "evaluation": likeliest.values.exp().tolist(),
        "passes": [each.logs[position, likeliest.indices].exp().tolist() for each in drawn],  # (passes, SHOWN)
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
