"""Tokenization: train a BPE, replay its merges, compare encodings, token arrays."""

from hf_llm.tokenization.bpe import (
    END_OF_TEXT,
    document_start,
    encode,
    encode_document,
    load_tokenizer,
    token_byte_lengths,
    token_dtype,
    tokenizer_sha256,
    train_bpe,
)
from hf_llm.tokenization.corpus import Corpus, corpus_from_text, load_corpus
from hf_llm.tokenization.token_array import TokenArray

__all__ = [
    "END_OF_TEXT",
    "Corpus",
    "TokenArray",
    "corpus_from_text",
    "document_start",
    "encode",
    "encode_document",
    "load_corpus",
    "load_tokenizer",
    "token_byte_lengths",
    "token_dtype",
    "tokenizer_sha256",
    "train_bpe",
]
