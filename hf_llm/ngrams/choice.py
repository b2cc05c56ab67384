"""Which n-grams are best for a text: order and discount, chosen within the text that they learn from."""

from itertools import product

from hf_llm.ngrams.byte_ngrams import LONGEST, ByteNGrams

JUDGED = 1 << 16  # bytes at most
DISCOUNTS = (None, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)  # None: Ney's estimate, one for each length


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
