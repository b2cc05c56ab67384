"""What a language model has to beat: two figures of the same text that need no neural net, in bits per byte.

- The best byte n-gram that learns from the training part. Order and discount are chosen on that part's last tenth,
  having learned from the rest, never on the scored text; it learns nothing while it is scored.
- A general compressor, LZMA: by how much its output grows when the scored text follows the training part. It learns
  while it is scored.

Both count bytes. Where a text has several documents, a zero byte stands between them: a model pays for saying that one
ends, and so do these, but it is no byte of the text.
"""

import lzma

from hf_llm.config import require
from hf_llm.ngrams.choice import best_ngram, counted
from hf_llm.tokenization.byte_lengths import text_bytes
from hf_llm.tokenization.corpus import Corpus
from hf_llm.tokenization.ngram_text import DOCUMENT_END

TRAINED, SCORED = 1 << 22, 1 << 20  # bytes at most; with these both take some 20 s together


def baselines(train: bytes, test: bytes, source_share: float = 1.0) -> dict:
    """Return both figures, ready for JSON, with what they learned from.

    Args:
        train: What stands before the scored text. Of a larger one only the last `TRAINED` bytes are learned.
        test: The scored text. Of a larger one only the first `SCORED` bytes are scored.
        source_share: Bytes of the source text for each of `test`: not 1 where a tokenizer changed the text.

    Returns:
        `trained_bytes`, `scored_bytes`, and the `bits_per_byte` of `ngram`, with its `order` and `discount`, and of
        `compressor`.

    Raises:
        UserError: When one of them is empty.
    """
    train, test = train[-TRAINED:], test[:SCORED]
    text = round((len(test) - test.count(DOCUMENT_END)) * source_share)
    require(bool(train) and text > 0, "the baselines need a text to learn from and one to score; give a longer text")
    order, discount = best_ngram(train)
    bits = {
        "ngram": float(counted(train, order, discount).bits(test).sum()),
        "compressor": compressor_bits_per_byte(train, test) * len(test),
    }
    ngram, compressor = ({"bits_per_byte": each / text} for each in bits.values())
    return {
        "trained_bytes": len(train), "scored_bytes": text,
        "ngram": {"order": order, "discount": discount, **ngram}, "compressor": {"name": "LZMA", **compressor},
    }  # fmt: skip


def corpus_baselines(corpus: Corpus) -> dict:
    """Return the baselines of a corpus: what ends its training part is learned, what begins its validation is scored.

    Both are read back from the tokens, so that they are what the model has read, from a prepared corpus too.
    """
    train, validation = corpus.train_once, corpus.validation
    start, end = max(1, len(train) - TRAINED), min(len(validation), SCORED + 1)  # a token is a byte or more
    scored = validation.window(1, end - 1)  # each begins with a document's start
    read = text_bytes(corpus.tokenizer, scored)
    source_bytes = corpus.byte_lengths()[scored].sum()
    return baselines(
        text_bytes(corpus.tokenizer, train.window(start, len(train) - start)), read,
        float(source_bytes / max(1, len(read) - read.count(DOCUMENT_END))),
    )  # fmt: skip


def compressor_bits_per_byte(train: bytes, test: bytes) -> float:
    """Return by how many bits per byte of `test` the output of LZMA grows when `test` follows `train`.

    Like a model that learns while it is scored. Raw LZMA2 whose window holds everything: no header adds to the length.
    """
    window = max(1 << 12, len(train) + len(test))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window}]

    def size(data: bytes) -> int:
        return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))

    return 8 * (size(train + test) - size(train)) / len(test)
