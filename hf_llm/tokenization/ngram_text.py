"""A short text made long: what byte n-grams of it write, for a network that would learn the text itself by heart."""

import numpy as np
from transformers import PreTrainedTokenizerFast

from hf_llm.ngrams.choice import best_ngram, counted
from hf_llm.ngrams.writer import write
from hf_llm.tokenization.tokenizer import encode_document, token_dtype

DOCUMENT_END = b"\0"
LENGTH = 4096  # bytes of a text: all texts are written side by side, so that short ones take less time


def text_by_ngrams(tokenizer: PreTrainedTokenizerFast, documents: list[str], tokens: int, seed: int) -> np.ndarray:
    """Return `tokens` ids of documents that n-grams of `documents` wrote, each beginning with the start token.

    Order and discount are chosen within `documents`. An n-gram writes bytes: those that are no UTF-8 are left out.
    """
    learned = DOCUMENT_END.join(document.encode("utf-8") for document in documents)
    model, arrays, missing = counted(learned, *best_ngram(learned)), [], tokens
    while missing > 0:
        texts = -(-3 * missing // LENGTH)  # some three bytes a token; what is too much is cut off
        for text in write(model, texts, LENGTH, seed=[seed, len(arrays)]):
            for document in text.split(DOCUMENT_END):
                arrays.append(encode_document(tokenizer, document.decode("utf-8", "ignore")))
                missing -= len(arrays[-1])
    return np.concatenate(arrays)[:tokens].astype(token_dtype(tokenizer))
