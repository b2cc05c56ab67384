"""How much of a generated text is copied from the training text.

A small model trained for many epochs on one story learns it by heart, and fluent samples then prove nothing. Two
measures, both on plain text, so that models with different tokenizers compare: the longest span that stands in the
training text word for word, and the share of word n-grams that occur there (as GPT-2's authors counted overlap with
8-grams of lower-case words, Radford et al. 2019, section 4). Common phrases always overlap a little: held-out text by
the same author is the yardstick.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import islice


def longest_verbatim_span(generated: str, training: str) -> str:
    """Return the longest part of `generated` that stands in `training` character by character.

    Every start is tried, but only with spans longer than the best so far, so that there are at most
    2 · len(generated) searches, each in C: about 0.3 s for 1,000 characters in a megabyte.

    >>> longest_verbatim_span("a cheap genius", "rather a cheap gene")
    'a cheap gen'
    """
    best = ""
    for start in range(len(generated)):
        while (span := generated[start : start + len(best) + 1]) in training and len(span) > len(best):
            best = span
    return best


def ngrams(items: Sequence[Hashable], n: int) -> Iterator[tuple]:
    """Yield the len(items) - n + 1 runs of n items that follow each other."""
    return zip(*(islice(items, start, None) for start in range(n)))


def ngram_overlap(generated: Sequence[Hashable], training: Sequence[Hashable], n: int) -> float | None:
    """Return the share of the n-grams of `generated` that occur in `training`, or None when it has none.

    >>> ngram_overlap("to be or not".split(), "not to be or else".split(), n=2)
    0.6666666666666666
    """
    wanted = list(ngrams(generated, n))
    found = set(wanted).intersection(ngrams(training, n))
    return sum(gram in found for gram in wanted) / len(wanted) if wanted else None


def words(text: str) -> list[str]:
    """Return the lower-case words of a text, without punctuation."""
    return re.findall(r"\w+", text.lower())


def memorisation(generated: str, training: str, sizes: Sequence[int] = (2, 4, 8)) -> dict:
    """Return both measures, ready for JSON; `generated` is the model's text without its prompt.

    Returns:
        `longest_verbatim_span` (text), `longest_verbatim_characters`, `longest_verbatim_words`, and `ngram_overlap`:
        {"2": share, …}, where a share is None for a text of fewer words.
    """
    span = longest_verbatim_span(generated, training)
    generated_words, training_words = words(generated), words(training)
    return {
        "longest_verbatim_span": span,
        "longest_verbatim_characters": len(span),
        "longest_verbatim_words": len(words(span)),
        "ngram_overlap": {str(n): ngram_overlap(generated_words, training_words, n) for n in sizes},
    }
