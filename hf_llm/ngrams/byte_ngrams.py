"""A language model without a neural net: byte n-grams.

The model counts which byte followed the last n - 1 bytes. What was seen once may be chance, so a discount D is
taken off every count, and what is taken off in all goes to the model of one byte less (absolute discounting,
interpolated: Ney, Essen, Kneser 1994):

    p(b | c) = max(count(c b) - D, 0) / count(c)  +  D · distinct(c) / count(c) · p(b | c without its first byte)

count(c) is the sum of count(c b) over the bytes b, distinct(c) how many of them are above zero. After a context that
was never seen the shorter one decides, and below them all each byte has 1/256. So the 256 probabilities add up to one
after any context, and none is zero.

Only the longest n-grams are counted as often as they occur. A shorter one is asked where the longer ones know little,
so what counts is after how many different bytes it occurred (Kneser, Ney 1995; Chen, Goodman 1999).

>>> model = ByteNGrams.fit(b"abracadabra", order=3)
>>> chr(model.probabilities(b"ab").argmax())
'r'
>>> float(model.probabilities(b"ab").sum().round(12))
1.0
"""

from dataclasses import dataclass, replace

import numpy as np

from hf_llm.config import require

BYTES = 256
LONGEST = 8  # bytes that fit into one integer
Counted = tuple[np.ndarray, np.ndarray, np.ndarray]  # of each n-gram: its count, its context's total and followers


@dataclass(frozen=True)
class Counts:
    """How often each n-gram of one length was seen, and what its context is followed by."""

    grams: np.ndarray  # distinct n-grams, each as an integer, in order, uint64 (G,)
    counts: np.ndarray  # of each of them, (G,)
    contexts: np.ndarray  # distinct n-grams without their last byte, in order, uint64 (C,)
    totals: np.ndarray  # how often each context was followed by something, (C,)
    distinct: np.ndarray  # by how many different bytes, (C,)
    discount: float  # D

    @classmethod
    def of(cls, grams: np.ndarray) -> "Counts":
        """Count n-grams, uint64 (N,); D is Ney's estimate n₁ / (n₁ + 2 n₂) from those seen once and twice."""
        grams, counts = np.unique(grams, return_counts=True)
        contexts, first, distinct = np.unique(grams >> 8, return_index=True, return_counts=True)
        totals = np.add.reduceat(counts, first) if len(first) else counts
        once, twice = (int((counts == times).sum()) for times in (1, 2))
        discount = (once + 1) / (once + 2 * twice + 2)  # one more each: above 0 and below 1, whatever the text
        return cls(grams, counts, contexts, totals, distinct, discount)

    def look_up(self, grams: np.ndarray) -> Counted:
        """Return what was counted of each n-gram, uint64 (N,)."""
        context = _places(self.contexts, grams >> 8)
        return (
            _take(self.counts, _places(self.grams, grams)), _take(self.totals, context), _take(self.distinct, context)
        )  # fmt: skip


@dataclass(frozen=True)
class ByteNGrams:
    """A byte n-gram model: one pass over the training text."""

    levels: tuple[Counts, ...]  # of the n-grams of 1, 2 … bytes

    @classmethod
    def fit(cls, data: bytes, order: int) -> "ByteNGrams":
        """Count the n-grams of `data` up to `order` bytes.

        Raises:
            UserError: When the order is out of bounds.
        """
        require(1 <= order <= LONGEST, f"the order of byte n-grams must be between 1 and {LONGEST}, not {order}")
        longest = _grams(data, order)
        levels = [Counts.of(longest)]
        while len(levels) < order:
            length = order - len(levels)
            without_first_byte = levels[-1].grams & np.uint64(BYTES**length - 1)
            levels.append(Counts.of(without_first_byte))
        return cls(tuple(reversed(levels)))

    def with_discount(self, discount: float) -> "ByteNGrams":
        """Return the same counts with one discount for n-grams of every length, above 0 and below 1."""
        require(0 < discount < 1, f"a discount must be between 0 and 1, not {discount}")
        return ByteNGrams(tuple(replace(level, discount=discount) for level in self.levels))

    def bits(self, data: bytes, learn: bool = False) -> np.ndarray:
        """Return -log2 of the probability of each byte, given those of `data` before it; float64, (len(data),).

        Args:
            data: The text to score. It begins without a context, as a document does.
            learn: Count each byte as soon as it is scored, as an adaptive compressor does. The model stays as it is.
        """
        levels = list(enumerate(self.levels, 1))
        counted = {length: level.look_up(_grams(data, length)) for length, level in levels}
        if learn:
            counts_as = np.ones(max(0, len(data) - len(levels) + 1), int)  # what each n-gram of `data` adds
            for length, _ in reversed(levels):
                counted[length], is_new = _with_earlier(_grams(data, length), counts_as, counted[length])
                first = np.zeros(int(len(data) >= length - 1), int)  # it ends no longer n-gram
                counts_as = np.concatenate([first, is_new])
        p = np.full(len(data), 1 / BYTES)
        for length, level in levels:
            p[length - 1 :] = _interpolate(p[length - 1 :], *counted[length], level.discount)
        return -np.log2(p)

    def bits_per_byte(self, data: bytes, learn: bool = False) -> float:
        """Return the mean of `bits`."""
        return float(self.bits(data, learn).mean())

    def probabilities(self, context: bytes) -> np.ndarray:
        """Return the probability of each of the 256 bytes after `context`, float64, (256,)."""
        p, last = np.full(BYTES, 1 / BYTES), np.arange(BYTES, dtype=np.uint64)
        for length, level in enumerate(self.levels[: len(context) + 1], 1):
            before = int.from_bytes(context[len(context) - (length - 1) :], "big")
            p = _interpolate(p, *level.look_up(np.uint64(before * BYTES) + last), level.discount)
        return p


def _interpolate(shorter, count, total, distinct, discount: float) -> np.ndarray:
    """Return p(b | c), (N,), from that of the context without its first byte, which decides where c was never seen."""
    own = np.maximum(count - discount, 0) + discount * distinct * shorter
    return np.where(total > 0, own / np.maximum(total, 1), shorter)


def _grams(data: bytes, length: int) -> np.ndarray:
    """Return `data[i : i + length]` for each i as an integer, its first byte the highest, uint64 (N - length + 1,)."""
    values = np.frombuffer(data, np.uint8).astype(np.uint64)
    number = max(0, len(values) - length + 1)
    grams = np.zeros(number, np.uint64)
    for place in range(length):
        grams = (grams << 8) | values[place : place + number]
    return grams


def _places(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each wanted key stands in the sorted `keys`, -1 where it does not, (N,)."""
    if not len(keys):
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def _take(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.where(places >= 0, values[places], 0) if len(values) else np.zeros(len(places), int)


def _with_earlier(grams: np.ndarray, counts_as: np.ndarray, counted: Counted) -> tuple[Counted, np.ndarray]:
    """Return `counted` with what stands earlier in `grams` added, and which n-grams are new there, 0 or 1 (N,).

    Args:
        grams: The n-grams of the text, in reading order, uint64 (N,).
        counts_as: What each adds to its count: 1 for the longest; for a shorter one, whether it ends a new longer one.
        counted: Of each, by the model.
    """
    count, total, distinct = counted
    count = count + _sum_before(grams, counts_as)
    is_new = counts_as * (count == 0)
    contexts = grams >> 8
    return (count, total + _sum_before(contexts, counts_as), distinct + _sum_before(contexts, is_new)), is_new


def _sum_before(keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return for each place the sum of `values` at earlier places with the same key, (N,)."""
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    running = np.cumsum(values) - values
    sums = np.empty_like(running)
    sums[order] = running - running[np.searchsorted(keys, keys)]  # from where the key's group begins
    return sums
