"""Showing tokens to people: the bytes behind a byte-level token, with white space made visible.

Light to import: pages of the app do so before transformers is there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
_HIDDEN = [byte for byte in range(256) if byte not in _PRINTABLE]
# GPT-2 writes each byte as one visible character: itself where it has a shape, else U+0100 and following
_BYTE = {chr(byte): byte for byte in _PRINTABLE} | {chr(256 + i): byte for i, byte in enumerate(_HIDDEN)}
_SHAPES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def token_bytes(token: str) -> bytes:
    """Return the bytes that a token in ByteLevel's alphabet stands for.

    >>> token_bytes("ĠcafÃ©").decode()
    ' café'
    """
    return bytes(_BYTE[character] for character in token)


def readable(content: bytes) -> str:
    """Return bytes as text whose white space shows; a part of a character appears as its bytes.

    >>> readable(b" caf\\xc3\\xa9\\n"), readable(b"\\xc3")
    ('␣café⏎', '\\\\xc3')
    """
    text = content.decode("utf-8", errors="backslashreplace")
    return "".join(
        _SHAPES.get(character) or (character if character.isprintable() else ascii(character)[1:-1])
        for character in text
    )


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
