"""The smallest model with the problem of rare words: it predicts the next word by an embedding and a linear layer."""

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F

from hf_llm.data import read_text
from hf_llm.experiments.frame import Say, Tables
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.textbook_optimizers import Adam

TEXT = "sample"
WIDTH = 32  # of the embedding
BATCH_SIZE = 128
STEPS = (100, 500)  # of the short and of the full version
ADAM = partial(Adam, betas=(0.9, 0.99))
GROUPS = {1: "1", 2: "2–4", 5: "5–19", 20: "20–79", 80: "80+"}  # fewest occurrences of a group's words: its range
RAREST, MOST_FREQUENT = min(GROUPS), max(GROUPS)


class WordPairs(NamedTuple):
    """A text as pairs of a word and the one after it."""

    words: torch.Tensor  # (N,), numbers of words, the most frequent one is 0
    following: torch.Tensor  # (N,)
    occurrences: torch.Tensor  # (V,)

    @classmethod
    def read(cls) -> "WordPairs":
        text = re.findall(r"\w+|[^\w\s]", read_text(TEXT).text.lower())
        counts = Counter(text).most_common()
        number = {word: n for n, (word, _) in enumerate(counts)}
        ids = torch.tensor([number[word] for word in text])
        return cls(ids[:-1], ids[1:], torch.tensor([count for _, count in counts]))

    @property
    def group(self) -> torch.Tensor:
        """How frequent each word is, (V,): the number of its group."""
        return torch.bucketize(self.occurrences, torch.tensor(list(GROUPS)), right=True) - 1

    def fit(self, make: Callable, rate: float, seed: int, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the training loss of each pair (N,) and the embedding (V, WIDTH) after `steps` steps of `make`."""
        random = torch.Generator().manual_seed(seed)
        size = len(self.occurrences)
        embedding = (0.3 * torch.randn(size, WIDTH, generator=random)).requires_grad_()
        output = (0.1 * torch.randn(size, WIDTH, generator=random)).requires_grad_()
        bias = torch.zeros(size, requires_grad=True)

        def losses(words: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
            logits = F.linear(F.embedding(words, embedding), output, bias)  # (B, V)
            return F.cross_entropy(logits, following, reduction="none")

        optimizer = make([embedding, output, bias], lr=rate)
        for _ in range(steps):
            batch = torch.randint(len(self.words), (BATCH_SIZE,), generator=random)
            optimizer.zero_grad()
            losses(self.words[batch], self.following[batch]).mean().backward()
            optimizer.step()
        with torch.no_grad():
            return losses(self.words, self.following), embedding.detach()


def by_group(values: torch.Tensor, groups: torch.Tensor) -> dict[int, float]:
    """Return {fewest occurrences of a group: mean of the values (n,) of that group}."""
    return {fewest: values[groups == number].mean().item() for number, fewest in enumerate(GROUPS)}


def draw_groups(tables: Tables, say: Say, table: str, value: str, by: str, keys=None, bottom=None) -> Figure:
    """Draw `value` for each group of words, from the rarest to the most frequent; the axis begins at `bottom`."""
    figure, ((axis,),) = new_figure(width=5.4)
    numbered = tables[table].assign(group=tables[table]["fewest"].map(list(GROUPS).index))
    curves(axis, numbered, "group", value, by, say, keys)
    axis.set_ylim(bottom)
    axis.set_xticks(range(len(GROUPS)), GROUPS.values())
    label(axis, say("figures.words.occurrences"), say(f"figures.words.{value}"))
    return figure
