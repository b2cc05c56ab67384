"""Part of the lab `optimizers`: frequent and rare words, one reason why language models are not trained with SGD.

A word that occurs once in a text gets a gradient a hundred times more rarely than one that occurs a hundred times, and
SGD has one rate for both (Kunstner et al. 2024, "Heavy-tailed class imbalance and why Adam outperforms gradient descent
on language models"). The model is the smallest that has this problem: it predicts the next word from the word before
it, by an embedding and a linear layer.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from hf_llm.data import read_text
from hf_llm.evaluation.charts import band, label, new_figure
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Language, Progress, Table, Words, track
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, Momentum

TEXT = "sample"
WIDTH = 32  # of the embedding
BATCH_SIZE = 128
BETAS = (0.9, 0.99)
GROUPS = [1, 2, 5, 20, 80]  # fewest occurrences of the words of a group
GROUP_NAMES = ["1", "2–4", "5–19", "20–79", "80+"]
GROUP_HEADINGS = {name: Words(pt=f"palavra vista {name}×", en=f"word seen {name}×") for name in GROUP_NAMES}
OCCURRENCES = Words(pt="ocorrências da palavra no texto", en="occurrences of the word in the text")
RULES = {  # with the middle of its grid of rates
    "SGD": (SGD, 3.0),
    "momentum": (Momentum, 0.3),
    "Adam": (partial(Adam, betas=BETAS), 0.01),
}
STEPS = 500


@dataclass(frozen=True)
class Pairs:
    """A text as pairs of a word and the one after it."""

    words: torch.Tensor  # (N,), numbers of words, the most frequent one is 0
    following: torch.Tensor  # (N,)
    occurrences: torch.Tensor  # (V,)

    @classmethod
    def read(cls) -> "Pairs":
        text = re.findall(r"\w+|[^\w\s]", read_text(TEXT).text.lower())
        counts = Counter(text).most_common()
        number = {word: n for n, (word, _) in enumerate(counts)}
        ids = torch.tensor([number[word] for word in text])
        return cls(ids[:-1], ids[1:], torch.tensor([count for _, count in counts]))

    @property
    def group(self) -> torch.Tensor:
        """How frequent each word is, (V,): the number of its group."""
        return torch.bucketize(self.occurrences, torch.tensor(GROUPS), right=True) - 1


def fit(pairs: Pairs, make, rate: float, seed: int, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training loss of each pair (N,) and the embedding (V, WIDTH) after `steps` steps of `make`."""
    random = torch.Generator().manual_seed(seed)
    size = len(pairs.occurrences)
    embedding = (0.3 * torch.randn(size, WIDTH, generator=random)).requires_grad_()
    output = (0.1 * torch.randn(size, WIDTH, generator=random)).requires_grad_()
    bias = torch.zeros(size, requires_grad=True)

    def losses(words: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        logits = F.linear(F.embedding(words, embedding), output, bias)  # (B, V)
        return F.cross_entropy(logits, following, reduction="none")

    optimizer = make([embedding, output, bias], lr=rate)
    for _ in range(steps):
        batch = torch.randint(len(pairs.words), (BATCH_SIZE,), generator=random)
        optimizer.zero_grad()
        losses(pairs.words[batch], pairs.following[batch]).mean().backward()
        optimizer.step()
    with torch.no_grad():
        return losses(pairs.words, pairs.following), embedding.detach()


def by_group(values: torch.Tensor, groups: torch.Tensor) -> list[float]:
    """Return the mean of values (n,) in each group (n,)."""
    return [values[groups == number].mean().item() for number in range(len(GROUPS))]


def race_on_words(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of the rules on words; the seed varies weights and batches."""
    pairs, steps, half = Pairs.read(), 100 if quick else STEPS, 0 if quick else 2
    searched = {
        rule: {middle * 10 ** (k / 2): np.inf for k in range(-half, half + 1)} for rule, (_, middle) in RULES.items()
    }
    searches = [(rule, rate, 0) for rule, rates in searched.items() for rate in rates]
    finals = [(rule, None, seed) for rule in RULES for seed in range(seeds)]
    losses = {rule: [] for rule in RULES}  # a row a seed: by how frequent the word to be predicted is
    totals = {rule: [] for rule in RULES}
    for rule, rate, seed in track([*searches, *finals], progress):
        best = min(searched[rule], key=searched[rule].get)
        each, _ = fit(pairs, RULES[rule][0], rate or best, seed, steps)
        if rate:
            searched[rule][rate] = each.mean().nan_to_num(np.inf).item()
        else:
            totals[rule].append(each.mean().item())
            losses[rule].append(by_group(each, pairs.group[pairs.following]))

    rows = [
        {"optimizer": rule, "lowest": min(rates), "highest": max(rates), "rate": (rate := min(rates, key=rates.get)),
         "edge": rate in (min(rates), max(rates)), "loss": float(np.mean(totals[rule])),
         **dict(zip(GROUP_NAMES, np.mean(losses[rule], axis=0).tolist())), "losses": losses[rule]}
        for rule, rates in searched.items()
    ]  # fmt: skip
    headings = {
        "optimizer": Words(pt="otimizador", en="optimizer"),
        "lowest": Words(pt="menor taxa da grade", en="lowest rate of the grid"),
        "highest": Words(pt="maior taxa", en="highest rate"),
        "rate": Words(pt="taxa escolhida", en="chosen rate"),
        "edge": Words(pt="na borda da grade?", en="at the grid's edge?"),
        "loss": Words(pt="perda de treino", en="training loss"),
        **GROUP_HEADINGS,
    }
    caption = Words(
        pt="Prever a próxima palavra: perda de treino, ao todo e por quantas vezes a palavra a prever ocorre no texto",
        en="Predicting the next word: training loss, overall and by how often the word to predict occurs in the text",
    )
    gap = np.array(losses["momentum"]) - np.array(losses["Adam"])  # (seeds, groups)
    findings = [
        over_seeds((
            Words(pt="Ao prever palavras, o Adam termina com perda de treino menor que o SGD com momentum.",
                  en="Predicting words, Adam ends at a lower training loss than SGD with momentum."),
            Words(pt="diferença de perda: momentum − Adam", en="difference in loss: momentum − Adam"),
        ), np.array(totals["momentum"]) - np.array(totals["Adam"])),
        over_seeds((
            Words(pt="O que falta ao SGD com momentum são sobretudo as palavras raras.",
                  en="What SGD with momentum lacks is above all the rare words."),
            Words(pt="diferença de perda nas mais raras − nas mais frequentes",
                  en="difference in loss on the rarest − on the most frequent"),
        ), gap[:, 0] - gap[:, -1]),
    ]  # fmt: skip
    table = Table(caption, headings, rows)
    return findings, {"words": table}, {"words": _losses_chart(table)}


def _losses_chart(table: Table) -> Chart:
    caption = Words(
        pt="Perda de treino ao prever a próxima palavra, por quantas vezes ela ocorre no texto: média e faixa sobre as "
        "sementes.",
        en="Training loss of predicting the next word, by how often it occurs in the text: mean and range over the "
        "seeds.",
    )
    loss = Words(pt="perda de treino", en="training loss")

    def draw(language: Language) -> Figure:
        figure, axes = new_figure()
        for number, row in enumerate(table.rows):
            band(axes[0, 0], range(len(GROUPS)), row["losses"], row["optimizer"], number)
        axes[0, 0].set_xticks(range(len(GROUPS)), GROUP_NAMES)
        label(axes[0, 0], OCCURRENCES[language], loss[language])
        return figure

    return Chart(caption, draw)
