"""Rules: what bits per byte must keep to before two methods can be compared.

The probabilities of the 256 next bytes sum to one; what comes later changes no score; a byte is scored before it is
learned. GPT-2 gives probabilities of tokens. Between two tokens, that of a next byte is the sum over the tokens that
begin with it; `<|endoftext|>`, which begins with none, takes its share too.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import torch

from hf_llm.evaluation.surprise import surprise
from hf_llm.experiments.counting_vs_gpt2.network import CONTEXT, Network, Recipe, train_network
from hf_llm.experiments.counting_vs_gpt2.pieces import Pieces
from hf_llm.experiments.counting_vs_gpt2.race import GROWING, grid_of
from hf_llm.experiments.frame import Finding, Study, Tables, exact
from hf_llm.experiments.shared.language_runs import read_or_sample
from hf_llm.generation.inference import evaluating
from hf_llm.ngrams.byte_ngrams import ByteNGrams
from hf_llm.tokenization.readable import token_bytes
from hf_llm.tokenization.tokenizer import encode_document

Bits = Callable[[bytes], np.ndarray]  # -log2 p of each byte
SIZE, ORDER = 2**13, 6  # bytes to learn from
RECIPE = Recipe(vocab_size=400, steps=24)  # few, but the network is no blank one
CONTEXTS, SCORED = 50, 400  # contexts whose probabilities are added up; bytes of which the second half is changed
LEARNED = (0, 1, 60)  # bytes that the learning n-grams have learned before their probabilities are added up
TOLERANCE = 1e-5  # of fp32 sums; the n-grams are in float64


def measure(study: Study) -> Tables:
    rows = []
    for name, seed in study.track([(name, seed) for name in GROWING for seed in study.seeds]):
        pieces = Pieces.of(read_or_sample(name), seed, grid_of(study).held_out).last(SIZE)
        ngrams, test = ByteNGrams.fit(pieces.train.encode("utf-8"), ORDER), pieces.test.encode("utf-8")
        learning = partial(ngrams.bits, learn=True)
        network = train_network(pieces, RECIPE, seed)
        sums = [ngrams.probabilities(test[:place]).sum() for place in range(CONTEXTS)]
        errors = {
            "ngrams": max(abs(one - 1) for one in sums),
            "learning": max(abs(sum_of_next(learning, test[:place]) - 1) for place in LEARNED),
            "gpt2": network_sum_error(network, pieces.test),
        }
        leaks = {
            "ngrams": leak(ngrams.bits, test[:SCORED]), "learning": leak(learning, test[:SCORED]),
            "gpt2": network_leak(network, pieces.test),
        }  # fmt: skip
        rows += [
            {"text": name, "seed": seed, "method": method, "sum_error": errors[method], "leak": leaks[method]}
            for method in errors
        ]
    return {"rules": pd.DataFrame(rows)}


def sum_of_next(bits: Bits, before: bytes) -> float:
    """Return the sum of the probabilities that the 256 bytes have behind `before`, from their scores."""
    return float(sum(2 ** -bits(before + bytes([byte]))[-1] for byte in range(256)))


def leak(bits: Bits, data: bytes) -> float:
    """Return how much the scores of the first half change, at most, when every byte of the second half does."""
    half = len(data) // 2
    other = data[:half] + bytes(255 - byte for byte in data[half:])
    return float(np.abs(bits(data)[:half] - bits(other)[:half]).max())


def network_leak(network: Network, text: str) -> float:
    """Return the same of a GPT-2, whose tokens change; within one window, where every token could be seen."""
    ids = encode_document(network.tokenizer, text)[:CONTEXT].tolist()
    half = len(ids) // 2
    other = ids[: half + 1] + [(id + 1) % len(network.tokenizer) for id in ids[half + 1 :]]
    return float(np.abs(surprise(network.model, ids)[:half] - surprise(network.model, other)[:half]).max())


@torch.inference_mode()
def network_sum_error(network: Network, text: str) -> float:
    """Return how far from one the probabilities of the next byte, and of the end, add up, at most, over contexts."""
    ids = torch.from_numpy(encode_document(network.tokenizer, text)[:CONTEXTS].astype(np.int64))[None]  # (1, T)
    with evaluating(network.model):
        p = network.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].softmax(-1)  # (T, vocab)
    tokens = network.tokenizer.convert_ids_to_tokens(list(range(len(network.tokenizer))))
    first = torch.tensor([256 if id == 0 else token_bytes(token)[0] for id, token in enumerate(tokens)])
    of_byte = torch.zeros(p.shape[0], 257).index_add_(1, first, p)  # (T, 256 bytes and the end)
    return float((of_byte.double().sum(1) - 1).abs().max())


def findings(tables: Tables) -> list[Finding]:
    rows = tables["rules"]
    return [
        exact("sums_to_one", rows["sum_error"].max(), TOLERANCE, "below"),
        exact("nothing_leaks", rows["leak"].max(), TOLERANCE, "below"),
    ]
