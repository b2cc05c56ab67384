"""How BPE learns, in slow motion: the same merges as the tokenizers library, one at a time, in plain Python.

Training (Sennrich et al. 2016, algorithm 1): count neighbouring tokens inside words, join the pair that occurs most
often, adjust the counts, repeat. Of equally frequent pairs tokenizers takes the one with the smaller token ids; a
heap of (-count, ids) gives exactly that order. Tokens are in ByteLevel's alphabet, where a space is written Ġ.

>>> [merge.token for merge in replay("low lower lowest", vocab_size=260)]
['lo', 'low', 'Ġlow']
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tokenizers import pre_tokenizers

from hf_llm.config import check_unicode
from hf_llm.tokenization.pieces import cut_long_words, pieces
from hf_llm.tokenization.tokenizer import END_OF_TEXT

VOCABULARY = [END_OF_TEXT, *sorted(pre_tokenizers.ByteLevel.alphabet())]  # before the first merge; id = place


class Merge(NamedTuple):
    """One step of training; `before` and `after` are the most frequent word that it changed, as tokens."""

    step: int
    pair: tuple[str, str]
    count: int  # how often the pair occurs in the text
    token: str
    before: list[str]
    after: list[str]
    text_tokens: int  # length of the whole text in tokens after the step
    work: int  # length in tokens of the words in which the pair was looked for: what the step costs


def pretokenize(text: str) -> list[str]:
    """Cut a text into words as GPT-2 does; no token ever spans two of them."""
    return [word for word, _ in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(check_unicode(text))]


def replay(text: str | Iterable[str], vocab_size: int) -> Iterator[Merge]:
    """Yield the merges that `train_bpe(text, vocab_size)` makes, in order; fewer where no pair is left."""
    texts = [text] if isinstance(text, str) else text
    parts = (part for one in texts for piece in pieces([check_unicode(one)]) for part in cut_long_words(piece))
    frequency = Counter(word for part in parts for word in pretokenize(part))
    spelling = {word: list(word) for word in frequency}  # the word as the tokens that it is made of now
    ids = {token: id for id, token in enumerate(VOCABULARY)}
    count, holders = Counter(), defaultdict(set)  # of each pair: occurrences, and words that hold it
    for word, tokens in spelling.items():
        for pair in pairwise(tokens):
            count[pair] += frequency[word]
            holders[pair].add(word)

    def entry(pair):
        return -count[pair], ids[pair[0]], ids[pair[1]], pair

    heap = sorted(entry(pair) for pair in count)
    step, text_tokens = 0, sum(len(word) * n for word, n in frequency.items())
    while len(ids) < vocab_size and heap:
        negative_count, *_, pair = heapq.heappop(heap)
        if negative_count != -count[pair]:
            continue  # the count has changed since; a newer entry is in the heap
        token = "".join(pair)
        ids.setdefault(token, len(ids))
        step, work, changed, shown = step + 1, 0, set(), None
        for word in sorted(holders.pop(pair), key=lambda word: (-frequency[word], word)):
            old, new = spelling[word], join(spelling[word], pair)
            work += len(old)
            if len(new) == len(old):
                continue  # another merge has taken the pair apart
            spelling[word], shown = new, shown or (old, new)
            text_tokens -= (len(old) - len(new)) * frequency[word]
            for tokens, sign in ((old, -1), (new, +1)):
                for neighbours in pairwise(tokens):
                    count[neighbours] += sign * frequency[word]
                    holders[neighbours].add(word)
                    changed.add(neighbours)
        for neighbours in filter(count.get, changed):
            heapq.heappush(heap, entry(neighbours))
        yield Merge(step, pair, -negative_count, token, *shown, text_tokens, work)


def join(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    """Replace each occurrence of `pair`, from the left, by one token."""
    joined, i = [], 0
    while i < len(tokens):
        width = 2 if tuple(tokens[i : i + 2]) == pair else 1
        joined.append("".join(tokens[i : i + width]))
        i += width
    return joined


def tokenize(text: str, merges: Iterable[tuple[str, str]]) -> list[str]:
    """Encode with merges learned elsewhere."""
    rank, cut = {pair: i for i, pair in enumerate(merges)}, pretokenize(text)
    spelling = {word: tokenize_word(word, rank) for word in set(cut)}
    return [token for word in cut for token in spelling[word]]


def tokenize_word(word: str, rank: dict[tuple[str, str], int], dropout: float = 0.0, random=None) -> list[str]:
    """Make the earliest learned merge first, until none applies; `random` passes some over, as bpe_dropout.py says."""

    tokens = list(word)
    while possible := [pair for pair in pairwise(tokens) if pair in rank]:
        if random is not None:
            possible = [pair for pair, draw in zip(possible, random.random(len(possible))) if draw >= dropout]
            if not possible:
                break
        tokens = join(tokens, min(possible, key=rank.get))
    return tokens
