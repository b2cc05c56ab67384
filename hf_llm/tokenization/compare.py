"""One text under several tokenizers: what each makes of it, and how much text a token holds.

A token that holds more bytes makes a text shorter for the model; how much depends on what the tokenizer was trained
on, which is why a story's own small tokenizer may beat GPT-2's of 50,257 tokens on that story and loses elsewhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tokenizers import decoders
from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data import MissingData
from hf_llm.texts import both
from hf_llm.tokenization.readable import readable, token_bytes
from hf_llm.tokenization.tokenizer import check_unicode, load_tokenizer

GPT2 = "gpt2-tokenizer"


class Token(NamedTuple):
    """A token of the text: its id, its text with white space visible, and its bytes in hexadecimal."""

    id: int
    text: str
    bytes: str


@dataclass(frozen=True)
class Encoding:
    """One text under one tokenizer. A word is what stands between white space."""

    tokenizer: str
    vocab_size: int
    tokens: list[Token]
    bytes: int
    words: int

    @property
    def tokens_per_word(self) -> float | None:
        return len(self.tokens) / self.words if self.words else None

    @property
    def bytes_per_token(self) -> float | None:
        return self.bytes / len(self.tokens) if self.tokens else None

    def as_dict(self) -> dict:
        """Return everything as a JSON-ready dict."""
        return {
            "tokenizer": self.tokenizer,
            "vocab_size": self.vocab_size,
            "token_count": len(self.tokens),
            "byte_count": self.bytes,
            "word_count": self.words,
            "tokens_per_word": self.tokens_per_word,
            "bytes_per_token": self.bytes_per_token,
            "tokens": [token._asdict() for token in self.tokens],
        }


def compare(text: str, tokenizers: dict[str, PreTrainedTokenizerFast]) -> list[Encoding]:
    """Encode `text` with each of the named tokenizers, in their order.

    Raises:
        UserError: When the text is empty or holds a lone surrogate.
    """
    require(text != "", both("tokenization.no_text"))
    size, words = len(check_unicode(text).encode("utf-8")), len(text.split())
    return [Encoding(name, len(one), _tokens(one, text), size, words) for name, one in tokenizers.items()]


def load_tokenizers(names: list[str]) -> tuple[dict[str, PreTrainedTokenizerFast], list[str]]:
    """Load the named tokenizers, and GPT-2's own after them where it is to be had.

    Returns:
        {name: tokenizer}, and notes for the reader: why GPT-2's is missing, if it is.
    """
    tokenizers, notes = {name: load_tokenizer(name) for name in names}, []
    if GPT2 not in tokenizers:
        try:
            tokenizers[GPT2] = load_tokenizer(GPT2)
        except MissingData as missing:
            require(bool(tokenizers), f"there is no tokenizer to compare: {missing}")
            notes.append(f"without GPT-2's own: {missing}")
    return tokenizers, notes


def _tokens(tokenizer: PreTrainedTokenizerFast, text: str) -> list[Token]:
    encoding = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
    )
    names = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
    if isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel):
        added = tokenizer.added_tokens_encoder  # these are spelt as they are
        contents = [name.encode("utf-8") if name in added else token_bytes(name) for name in names]
    else:  # other kinds say only which characters of the text a token covers
        contents = [text[start:end].encode("utf-8") for start, end in encoding["offset_mapping"]]
    return [Token(id, readable(content), content.hex(" ")) for id, content in zip(encoding["input_ids"], contents)]
