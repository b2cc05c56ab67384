"""How many bytes of the text a token stands for: what bits per byte divides by.

Each byte counts once, and the bytes are those of the source text. A byte-level tokenizer spells them out, so that the
sum over the tokens is the text's length; one that lower-cases, strips accents or has an unknown token gives back
another text, and its tokens share the bytes of the true one.
"""

import re
from collections.abc import Iterable

import numpy as np
from tokenizers import decoders
from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.texts import both
from hf_llm.tokenization.readable import token_bytes


def token_byte_lengths(tokenizer: PreTrainedTokenizerFast) -> np.ndarray:
    """Return how many UTF-8 bytes each id is spelt with, shape (vocab,), int64; a special token stands for none."""
    byte_level = _is_byte_level(tokenizer)
    vocab, added = tokenizer.get_vocab(), tokenizer.added_tokens_decoder
    lengths = np.zeros(max(vocab.values()) + 1, np.int64)
    for token, id in vocab.items():
        # ByteLevel writes each byte as one printable character
        lengths[id] = len(token) if byte_level else len(_without_marks(token).encode("utf-8"))
    for id, token in added.items():
        lengths[id] = 0 if token.special else len(token.content.encode("utf-8"))
    return lengths


def source_byte_lengths(tokenizer: PreTrainedTokenizerFast, ids: Iterable[np.ndarray], source_bytes: int) -> np.ndarray:
    """Return how many bytes of a text each id stands for, shape (vocab,): over `ids` they sum up to `source_bytes`.

    Args:
        tokenizer: What made the ids.
        ids: All of the text's, in arrays of any length, without the start token.
        source_bytes: Length of the text in UTF-8.

    Raises:
        UserError: When the tokenizer knows nothing of the text.
    """
    lengths = token_byte_lengths(tokenizer)
    spelt = sum(int(lengths[some].sum()) for some in ids)
    require(spelt > 0 or source_bytes == 0, both("tokenization.knows_nothing"))
    return lengths if spelt == source_bytes else lengths * (source_bytes / spelt)


def text_bytes(tokenizer: PreTrainedTokenizerFast, ids: np.ndarray) -> bytes:
    """Return the UTF-8 bytes that ids (N,) are decoded to; a special token is a zero byte, an unknown one its name."""
    added = tokenizer.added_tokens_decoder
    special = [id for id, token in added.items() if token.special and id != tokenizer.unk_token_id]
    if not _is_byte_level(tokenizer):  # what a token is spelt with depends on its neighbours
        borders = np.flatnonzero(np.isin(ids, special))
        runs = np.split(ids, np.sort(np.concatenate([borders, borders + 1])))[::2]
        texts = (tokenizer.decode(run.tolist(), clean_up_tokenization_spaces=False) for run in runs)
        return b"\0".join(text.encode("utf-8") for text in texts)
    spelt = {id: token.content.encode("utf-8") for id, token in added.items()} | dict.fromkeys(special, b"\0")
    distinct, places = np.unique(ids, return_inverse=True)
    names = tokenizer.convert_ids_to_tokens(distinct.tolist())
    contents = [spelt[id] if id in spelt else token_bytes(name) for id, name in zip(distinct.tolist(), names)]
    return b"".join([contents[place] for place in places])


def _is_byte_level(tokenizer: PreTrainedTokenizerFast) -> bool:
    return isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel)


def _without_marks(token: str) -> str:
    """Return a token of another kind as text: SentencePiece writes a space as ▁ and a byte as <0x0A>, WordPiece ##
    before what continues a word, and OpenAI's first GPT </w> behind what ends one.

    >>> _without_marks("▁casa"), _without_marks("##inha"), _without_marks("<0x0A>")
    (' casa', 'inha', '.')
    """
    if re.fullmatch(r"<0x[0-9A-F]{2}>", token):
        return "."  # of one byte
    return token.replace("▁", " ").removeprefix("##").removesuffix("</w>")
