"""Text that byte n-grams write: as much as one likes, in which what was read once follows only sometimes.

A network that reads a story of 18 KB many times learns it by heart. Reading what n-grams of that story write, it learns
what they know instead: after which letters what may follow, and how sure one can be of it. This is their knowledge
passed on by samples, as "Data Noising as Smoothing in Neural Network Language Models" (Xie et al. 2017) passes on that
of bigrams, and Hinton et al. 2015 that of a larger network by its probabilities.

>>> from hf_llm.ngrams.byte_ngrams import ByteNGrams
>>> write(ByteNGrams.fit(b"abababab", order=3).with_discount(0.01), texts=1, length=8, seed=0)
[b'babababa']
"""

import numpy as np

from hf_llm.ngrams.byte_ngrams import BYTES, ByteNGrams, Counts


def write(model: ByteNGrams, texts: int, length: int, seed: int | list[int]) -> list[bytes]:
    """Return `texts` texts of `length` bytes each, drawn from the model; each begins without a context."""
    random = np.random.default_rng(seed)
    written = np.zeros((length, texts), np.uint8)
    context = np.zeros(texts, np.uint64)  # the last bytes of each text, the latest one the lowest
    levels = [(level, np.cumsum(level.counts - level.discount)) for level in model.levels]
    for place in range(length):
        undecided = np.arange(texts)  # texts whose next byte no longer n-gram has given yet
        for order in range(min(place + 1, len(levels)), 0, -1):
            before = context[undecided] & np.uint64(BYTES ** (order - 1) - 1)
            drawn = _draw(*levels[order - 1], before, random.random(len(undecided)))
            given = drawn >= 0
            written[place, undecided[given]] = drawn[given]
            undecided = undecided[~given]
        written[place, undecided] = random.integers(BYTES, size=len(undecided))
        context = (context << 8) | written[place]
    return [column.tobytes() for column in written.T]


def _draw(level: Counts, sums: np.ndarray, contexts: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return the byte that n-grams of one length put behind each context, -1 where a shorter one decides, (N,).

    Of a context's total count the part max(count - D, 0) belongs to the bytes that followed it, the rest, D · distinct,
    to the context without its first byte: one draw decides both whether and which.

    Args:
        level: What was counted.
        sums: Running sum of count - D over its n-grams, (G,).
        contexts: uint64 (N,).
        uniform: Draws from 0 to 1, (N,).
    """
    place = np.minimum(np.searchsorted(level.contexts, contexts), len(level.contexts) - 1)
    seen = level.contexts[place] == contexts
    first = np.searchsorted(level.grams, contexts << 8)  # where the n-grams of a context begin
    last = np.searchsorted(level.grams, (contexts << 8) | 255, side="right") - 1
    below = np.where(first > 0, sums[first - 1], 0.0)  # the sum of the contexts before it
    wanted = below + uniform * level.totals[place]
    gram = np.searchsorted(sums, wanted, side="right")
    return np.where(seen & (gram <= last), level.grams[np.minimum(gram, len(sums) - 1)] & 255, -1).astype(np.int64)
