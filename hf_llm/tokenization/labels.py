"""Tokens by their ids, as a reader sees them. Light to import: pages of the app do so before transformers is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_llm.tokenization.readable import readable, token_bytes

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def token_labels(tokenizer: "PreTrainedTokenizerFast", ids: Sequence[int]) -> list[str]:
    """Return the text of each id with white space visible; special tokens bear their names, spare rows their numbers.

    A model may have more rows than its tokenizer has tokens (padded to a round number): such an id reads `#50300`.
    """
    from tokenizers import decoders

    byte_level = isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel)
    added = tokenizer.added_tokens_encoder  # these are spelt as they are
    labels = []
    for id, name in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        if name is None:
            labels.append(f"#{id}")
        else:
            labels.append(readable(token_bytes(name)) if byte_level and name not in added else name)
    return labels
