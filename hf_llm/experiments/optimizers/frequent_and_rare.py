"""Frequent and rare words, one reason why language models are not trained with SGD.

A word that occurs once in a text gets a gradient a hundred times more rarely than one that occurs a hundred times, and
SGD has one rate for both (Kunstner et al. 2024, "Heavy-tailed class imbalance and why Adam outperforms gradient descent
on language models").
"""

from functools import partial
from itertools import islice

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Study, Tables, above, best, by_seed
from hf_llm.experiments.optimizers import next_word
from hf_llm.experiments.optimizers.next_word import ADAM, MOST_FREQUENT, RAREST, WordPairs, by_group, draw_groups
from hf_llm.experiments.shared.textbook_optimizers import SGD, Momentum

RULES = {"sgd": SGD, "momentum": Momentum, "adam": ADAM}
MIDDLES = {"sgd": 3.0, "momentum": 0.3, "adam": 0.01}  # of the grids of rates


def measure(study: Study) -> Tables:
    """Search each rule's rate with one seed, then train with all; the seed varies weights and batches."""
    pairs, steps, half = WordPairs.read(), study.pick(*next_word.STEPS), study.pick(0, 2)
    searches = [(rule, middle * 10 ** (k / 2)) for rule, middle in MIDDLES.items() for k in range(-half, half + 1)]
    finals = [(rule, seed) for rule in RULES for seed in study.seeds]
    cells, searched, words, groups = study.track([*searches, *finals]), [], [], []
    for rule, rate in islice(cells, len(searches)):
        losses, _ = pairs.fit(RULES[rule], rate, 0, steps)
        searched.append({"optimizer": rule, "rate": rate, "seed": 0, "loss": losses.mean().item()})
    search = pd.DataFrame(searched)
    rates = best(search, "rate", "loss", by=["optimizer"]).set_index("optimizer")["rate"]
    for rule, seed in cells:
        losses, _ = pairs.fit(RULES[rule], rates[rule], seed, steps)
        cell = {"optimizer": rule, "seed": seed}
        words.append({**cell, "rate": rates[rule], "loss": losses.mean().item()})
        means = by_group(losses, pairs.group[pairs.following])
        groups += [{**cell, "fewest": fewest, "loss": loss} for fewest, loss in means.items()]
    return {"word_search": search, "words": pd.DataFrame(words), "words_by_frequency": pd.DataFrame(groups)}


def behind_adam(tables: Tables, fewest: int) -> np.ndarray:
    """Return by how much the loss of SGD with momentum is higher on a group of words, (seeds,)."""
    table = tables["words_by_frequency"]
    return np.subtract(*(by_seed(table, "loss", optimizer=rule, fewest=fewest) for rule in ("momentum", "adam")))


def findings(tables: Tables) -> list[Finding]:
    momentum, adam = (by_seed(tables["words"], "loss", optimizer=rule) for rule in ("momentum", "adam"))
    return [
        above("adam_on_words", momentum - adam),
        above("sgd_lacks_rare_words", behind_adam(tables, RAREST) - behind_adam(tables, MOST_FREQUENT)),
    ]


FIGURES = {"words": partial(draw_groups, table="words_by_frequency", value="loss", by="optimizer")}
