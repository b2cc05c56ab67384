"""What a language model has to beat: two figures of the same text that need no neural net, in bits per byte.

- The best byte n-gram that learns from the training part. Order and discount are chosen on that part's last tenth,
  having learned from the rest, never on the scored text; it learns nothing while it is scored.
- A general compressor, LZMA: by how much its output grows when the scored text follows the training part. It learns
  while it is scored.

Both count bytes. Where a text has several documents, a zero byte stands between them: a model pays for saying that one
ends, and so do these, but it is no byte of the text.
"""

from itertools import product

from hf_llm.config import require
from hf_llm.evaluation.byte_ngrams import LONGEST, ByteNGrams, compressor_bits_per_byte
from hf_llm.tokenization.byte_lengths import text_bytes
from hf_llm.tokenization.corpus import Corpus

TRAINED, SCORED, JUDGED = 1 << 22, 1 << 20, 1 << 16  # bytes at most; with these both take some 20 s together
DISCOUNTS = (None, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)  # None: Ney's estimate, one for each length
DOCUMENT_END = b"\0"


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


def best_ngram(train: bytes) -> tuple[int, float | None]:
    """Return the order and the discount that are best on the last tenth of `train`, having learned what stands before.

    The tenth is at most `JUDGED` bytes long.
    """
    cut = len(train) - max(1, min(JUDGED, len(train) // 10))
    learned, judged = train[:cut], train[cut:]
    models = {order: ByteNGrams.fit(learned, order) for order in range(1, LONGEST + 1)}
    return min(
        product(models, DISCOUNTS),
        key=lambda chosen: _discounted(models[chosen[0]], chosen[1]).bits_per_byte(judged),
    )


def counted(train: bytes, order: int, discount: float | None) -> ByteNGrams:
    """Return the n-grams of `train`; `order` and `discount` are as `best_ngram` returns them."""
    return _discounted(ByteNGrams.fit(train, order), discount)


def _discounted(model: ByteNGrams, discount: float | None) -> ByteNGrams:
    return model if discount is None else model.with_discount(discount)


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
