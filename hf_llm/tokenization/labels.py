"""Tokens by their ids, as a reader sees them."""

from collections.abc import Sequence

from tokenizers import decoders
from transformers import PreTrainedTokenizerFast

from hf_llm.tokenization.readable import readable, token_bytes


def token_labels(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> list[str]:
    """Return the text of each id with white space visible; special tokens bear their names, spare rows their numbers.

    A model may have more rows than its tokenizer has tokens (padded to a round number): such an id reads `#50300`.
    """
    byte_level = isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel)
    added = tokenizer.added_tokens_encoder  # these are spelt as they are
    labels = []
    for id, name in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        if name is None:
            labels.append(f"#{id}")
        else:
            labels.append(readable(token_bytes(name)) if byte_level and name not in added else name)
    return labels
