"""A causal LM as a classifier: how probable each label's text is as what follows a prompt.

    log p(label | prompt) = sum over the label's tokens of log p(token | prompt and the label's tokens before it)

Brown et al. 2020 (GPT-3), section 2.4, choose among given answers like this. A model may like a label whatever the
prompt says, because it is a frequent word or the last one of the instructions; Zhao et al. 2021, "Calibrate before
use", divide by what it gives the label after a prompt without content ("N/A") and renormalise.

>>> scores = label_log_probabilities(model, tokenizer, ["Message: you won!\\nKind:"], [" spam", " normal"])  # (1, 2)
>>> empty = label_log_probabilities(model, tokenizer, ["Message: N/A\\nKind:"], [" spam", " normal"])  # (1, 2)
>>> label_probabilities(scores, empty).argmax(axis=1)  # the label that each prompt makes likelier than no content does
"""

from collections.abc import Iterator
from itertools import takewhile

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.evaluation.logits import last_logits
from hf_llm.generation.inference import evaluating, require_own_tokenizer
from hf_llm.models.context import context_length
from hf_llm.tokenization.tokenizer import document_start, encode_batch

Row = tuple[int, ...]  # token ids that the model reads at once


def label_log_probabilities(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompts: list[str], labels: list[str],
    batch_size: int = 32,
) -> np.ndarray:  # fmt: skip
    """Return the log-probability in nats of each label after each prompt, float64, shape (prompts, labels).

    Args:
        model: Any causal LM of transformers; its train or eval mode is kept.
        tokenizer: The model's own. A prompt begins a document.
        prompts: What stands before the label. Where it does not fit the context together with the label, its
            beginning is cut off.
        labels: What may follow, with the space that it begins with. None should be the beginning of another one:
            its probability would hold the other's.
        batch_size: Rows at once.

    Raises:
        UserError: When the tokenizer is another model's, there is nothing to compare, a label has no token of its own,
            or the context has no room for a label.
    """
    require_own_tokenizer(model, tokenizer)
    require(bool(prompts) and len(labels) > 1, "label likelihood compares labels: give a prompt and two labels or more")
    # prompt and label are encoded in one piece, as a text would be, since a token may reach over the border
    whole = [ids.tolist() for ids in encode_batch(tokenizer, [p + label for p in prompts for label in labels])]
    alone = [ids.tolist() for ids in encode_batch(tokenizer, prompts)]
    start, context = document_start(tokenizer), context_length(model)
    asked: dict[Row, list[tuple[int, list[int]]]] = {}  # what is read: which cells it scores, and with which tokens
    for cell, ids in enumerate(whole):
        prompt = cell // len(labels)
        ours = whole[prompt * len(labels) : (prompt + 1) * len(labels)]
        alike = takewhile(lambda tokens: len(set(tokens)) == 1, zip(alone[prompt], *ours))
        scored = ids[len(list(alike)) :]  # all labels are scored from the same place on
        require(bool(scored), f"the label {labels[cell % len(labels)]!r} is empty; give it a text")
        require(
            context is None or len(scored) <= context,
            f"the label {labels[cell % len(labels)]!r} has {len(scored)} tokens and the model's context {context}; "
            "give a shorter one",
        )
        # the last token is not read, only scored: labels of one token each share a single forward pass
        read = [start, *ids[:-1]][-context if context else None :]
        asked.setdefault(tuple(read), []).append((cell, scored))

    rows = sorted(asked, key=len)  # rows of like length stand together, so that little is padding
    scores = np.zeros(len(whole))
    with torch.inference_mode(), evaluating(model):
        for first in range(0, len(rows), batch_size):
            batch = rows[first : first + batch_size]
            longest = len(batch[-1])
            kept = longest - min(len(row) - len(scored) for row in batch for _, scored in asked[row])
            for number, first_position, table in _last_log_probabilities(model, batch, kept):  # (positions, vocab)
                row = batch[number]
                end = kept - (longest - len(row))  # what lies behind is padding
                for cell, scored in asked[row]:
                    place = end - len(scored) - first_position  # of the first scored token, in this slice
                    inside = range(max(0, place), min(end - first_position, len(table)))
                    if inside:
                        tokens = [scored[position - place] for position in inside]
                        scores[cell] += table[list(inside), tokens].sum().item()
    return scores.reshape(len(prompts), len(labels))


def label_probabilities(scores: np.ndarray, content_free: np.ndarray | None = None) -> np.ndarray:
    """Return the probabilities among the labels alone, rows that sum to 1, of the shape of `scores`.

    Args:
        scores: As `label_log_probabilities` returns them, (prompts, labels).
        content_free: The same for prompts without content, (any, labels), whose mean probabilities divide those of
            `scores`: contextual calibration. None leaves them as they are.
    """
    if content_free is not None:
        scores = scores - np.log(label_probabilities(content_free).mean(axis=0))
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _last_log_probabilities(
    model: PreTrainedModel, rows: list[Row], kept: int
) -> Iterator[tuple[int, int, torch.Tensor]]:
    """Yield log p of every token at the last `kept` positions of the longest row, slice by slice and row by row.

    Shorter rows are padded on the right: a causal model never looks there, and its positions count from the first
    token on without being told.

    Yields:
        The row's number, the slice's first position as `last_logits` counts, and float64 (positions, vocab).
    """
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(model.device)  # (B, T)
    lengths = torch.tensor([len(row) for row in rows], device=model.device)
    mask = (torch.arange(ids.shape[1], device=model.device) < lengths[:, None]).long()  # (B, T)
    for first, logits in last_logits(model, ids, kept, mask):  # (B, positions, vocab)
        for row, of_row in enumerate(logits):
            yield row, first, of_row.double().log_softmax(dim=-1).cpu()
