"""One text, many encodings: BPE-dropout (Provilkov et al. 2020), for texts so small that a model learns them by heart.

Each time a word is encoded some merges are forgotten, so that `Gisburn` is now `ĠGis burn`, now `ĠG is burn`. The
model meets the same letters in other tokens and has to learn what they share. `tokenizers` has the same dropout, but
draws it from a generator that cannot be seeded.
"""

import json
import logging

import numpy as np
from transformers import PreTrainedTokenizerFast

from hf_llm.tokenization.bpe import pretokenize, tokenize_word
from hf_llm.tokenization.tokenizer import document_start, encode_document, token_dtype

logger = logging.getLogger(__name__)

LONGEST_WORD = 128  # bytes: forgetting merges costs the square of a word's length


def encodings_with_dropout(
    tokenizer: PreTrainedTokenizerFast, text: str, dropout: float, copies: int, seed: int
) -> list[np.ndarray]:
    """Return the text's own encoding and one with dropout in turn, `copies` of each.

    Within one copy a word is split the same way wherever it occurs: words are drawn once a copy, not once a place.
    `dropout` is the probability that a possible merge is passed over, 0 to 1; `tokenizer` is a byte-level BPE.

    Returns:
        2 · `copies` arrays of ids, each beginning with the document's start token.
    """
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    rank = {tuple(pair): place for place, pair in enumerate(model["merges"])}
    ids, plain = model["vocab"], encode_document(tokenizer, text)
    words = pretokenize(text)
    cut = [word[i : i + LONGEST_WORD] for word in words for i in range(0, len(word), LONGEST_WORD)]
    if len(cut) > len(words):
        said = "bpe_dropout cuts words of more than %d bytes, which this text holds; no token reaches over the cuts"
        logger.warning(said, LONGEST_WORD)
    distinct = sorted(set(cut))
    arrays = []
    for copy in range(copies):
        random = np.random.default_rng([seed, copy])
        spelling = {word: tokenize_word(word, rank, dropout, random) for word in distinct}
        encoded = [document_start(tokenizer), *(ids[token] for word in cut for token in spelling[word])]
        arrays += [plain, np.array(encoded, token_dtype(tokenizer))]
    return arrays
