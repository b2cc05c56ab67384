"""Loss, perplexity and bits per byte of a text, each token scored exactly once.

Perplexity depends on the tokenizer: with longer tokens there are fewer of them, each harder to guess. Bits per byte
divides the same total by the UTF-8 bytes of the text, so that models with different tokenizers can be compared
(Gao et al. 2020, The Pile, section 3.1):

    bits per byte = (sum of -ln p over the tokens) / (ln 2 · UTF-8 bytes)

Windows of the context's length slide over the text. With stride 1 each token is predicted from the longest context
that the model can read, at one window a token; with stride = context the windows do not overlap, and the first token
of each is predicted from a single one. Between them lies the usual compromise, half the context.

    stride 2, context 4:    [s 0 1 2]            scores 0 1 2 3
                                [1 2 3 4]        scores       4 5      s: start of the document
                                    [3 4 5 6]    scores           6 7
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm
from transformers import PreTrainedModel

from hf_llm.config import require
from hf_llm.evaluation.intervals import block_bootstrap_interval
from hf_llm.evaluation.logits import LOGITS, last_logits
from hf_llm.generation.inference import evaluating
from hf_llm.models.context import context_length
from hf_llm.tokenization.token_array import TokenArray


@dataclass(frozen=True)
class LanguageModelScores:
    """What a text costs a model."""

    loss: float  # mean negative log-likelihood in nats per token
    perplexity: float  # exp(loss)
    bits_per_byte: float  # the whole text's negative log-likelihood in bits, over its UTF-8 bytes
    tokens: int  # that were scored
    bytes: int  # of these tokens, in UTF-8
    stride: int  # by how many tokens the windows slid
    bits_per_byte_interval_95: list[float] | None = None  # over the text, where it was asked for


@torch.inference_mode()
def evaluate_tokens(
    model: PreTrainedModel, ids: np.ndarray | TokenArray, byte_lengths: np.ndarray, stride: int, context: int,
    batch_size: int = 8, max_tokens: int | None = None, autocast: torch.dtype | None = None, interval: bool = False,
) -> LanguageModelScores:  # fmt: skip
    """Score all tokens but the first, which is given: it starts the document.

    The context never reaches back before `ids[0]`, so that a validation split is judged without its training text.

    Args:
        model: Any causal LM of transformers; its train or eval mode is kept.
        ids: Token ids, shape (N,); of a `TokenArray` that is mapped only the windows at hand are in memory.
        byte_lengths: UTF-8 bytes of the source text that each id stands for, shape (vocab,); a special token has none,
            but its nats count.
        stride: Tokens between the ends of two windows, 1 to `context`.
        context: Tokens that the model reads at once.
        batch_size: Windows at once; fewer where their logits would fill the memory.
        max_tokens: Score only the first so many tokens.
        autocast: Precision of the forward pass, for example `torch.bfloat16`; the loss is always fp32.
        interval: Whether to bootstrap how exactly a text of this length measures; it takes some hundredths of a second.

    Raises:
        UserError: When there is nothing to score, the stride or the context is out of bounds, or the ids are not
            the model's.
    """
    vocab, longest = model.get_input_embeddings().num_embeddings, context_length(model)
    ids = ids if isinstance(ids, TokenArray) else TokenArray([ids])
    tokens = (len(ids) if max_tokens is None else min(len(ids), max_tokens + 1)) - 1
    require(tokens >= 1, "the text to evaluate has no token behind its start token; give a longer one")
    require(longest is None or context <= longest, f"context {context} is more than the model's {longest}; lower it")
    require(
        1 <= stride <= context,
        f"eval_stride must be between 1 and the model's context of {context} tokens, not {stride}",
    )
    largest = max(int(some.max()) for some in ids.blocks(end=tokens + 1))
    require(
        largest < vocab,
        f"another model's tokenizer: the text holds token {largest} and the model knows {vocab} tokens; "
        f"use the tokenizer that was saved with the model",
    )
    width = min(context, tokens)
    ends = np.append(np.arange(width, tokens, stride), tokens)  # a window that reads ids[end-width:end] ...
    scored = np.diff(ends, prepend=0)  # ... scores its last so many predictions, the last of which is ids[end]
    size = max(1, min(batch_size, LOGITS // (min(stride, width) * vocab)))
    # the first window scores more than the others, so it goes alone
    batches = [slice(0, 1), *(slice(i, i + size) for i in range(1, len(ends), size))]

    nats = []  # of each token
    with evaluating(model):
        for batch in tqdm(batches, desc="evaluate", unit="batch", disable=None, leave=False, delay=2):
            rows = np.stack([ids.window(int(end) - width, width + 1) for end in ends[batch]])  # (B, width + 1)
            windows = torch.from_numpy(rows).to(model.device)
            kept = int(scored[batch].max())
            losses = token_losses(model, windows, kept, autocast)  # (B, kept)
            counts = torch.from_numpy(scored[batch, None]) > torch.arange(kept).flip(0)
            nats.append(losses.cpu().double()[counts].numpy())
    nats = np.concatenate(nats)  # (tokens,)
    sizes = np.concatenate([byte_lengths[some] for some in ids.blocks(1, tokens + 1)])  # (tokens,)
    loss, size = float(nats.mean()), round(sizes.sum())
    bits_per_byte = float(nats.sum()) / math.log(2) / size if size else math.inf  # special tokens alone have no bytes
    perplexity = math.inf if loss > 700 else math.exp(loss)  # exp overflows at 710
    bounds = list(block_bootstrap_interval(nats / math.log(2), sizes).bounds) if interval else None
    return LanguageModelScores(loss, perplexity, bits_per_byte, tokens, size, stride, bounds)


def token_losses(
    model: PreTrainedModel, windows: torch.Tensor, kept: int, autocast: torch.dtype | None = None
) -> torch.Tensor:
    """Return -ln p of the last `kept` tokens of each window, fp32, shape (B, kept).

    Args:
        model: Any causal LM of transformers.
        windows: Token ids, shape (B, T + 1); the model reads the first T of each.
        kept: 1 to T. Logits are computed for these positions only: they are most of the work of a small model.
        autocast: Precision of the forward pass.
    """
    targets, losses = windows[:, -kept:], []  # (B, kept)
    for first, logits in last_logits(model, windows[:, :-1], kept, autocast=autocast):  # (B, positions, vocab)
        wanted = targets[:, first : first + logits.shape[1]]
        loss = F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(), reduction="none")
        losses.append(loss.view(wanted.shape))
    return torch.cat(losses, dim=1)
