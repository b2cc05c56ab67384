"""Which weights Adam's two kinds of decay shrink, by how often they get a gradient.

Where gradients are rare their average size is small. L2's λw is divided by that small size, so it pulls hardest at the
words that the text says least about. Decoupled decay takes the same share of every weight at every step.
"""

from functools import partial

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Study, Tables, below, by_seed
from hf_llm.experiments.optimizers import next_word
from hf_llm.experiments.optimizers.next_word import ADAM, MOST_FREQUENT, RAREST, WordPairs, by_group, draw_groups

RATE = 0.01
# λ of both: they shrink the mean row alike
DECAYS = {"none": {}, "l2": {"weight_decay": 1e-4}, "decoupled": {"weight_decay": 0.3, "decoupled": True}}


def measure(study: Study) -> Tables:
    """Train with each decay; a row is the norm of an embedding, the mean of a group of words."""
    pairs, steps, rows, without = WordPairs.read(), study.pick(*next_word.STEPS), [], {}
    for decay, seed in study.track([(decay, seed) for decay in DECAYS for seed in study.seeds]):
        _, embedding = pairs.fit(partial(ADAM, **DECAYS[decay]), RATE, seed, steps)
        norms = by_group(embedding.norm(dim=1), pairs.group)
        without.setdefault(seed, norms)
        rows += [
            {"method": decay, "seed": seed, "fewest": fewest, "norm": norm, "kept": norm / without[seed][fewest]}
            for fewest, norm in norms.items()
        ]
    return {"word_decay": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    """What is left of the rarest words ÷ what is left of the most frequent ones."""

    def uneven(method: str) -> np.ndarray:
        kept = (by_seed(tables["word_decay"], "kept", method=method, fewest=n) for n in (RAREST, MOST_FREQUENT))
        return np.divide(*kept)

    return [
        *(below(f"{method}_shrinks_rare_words", uneven(method), 1.0, "log") for method in ("l2", "decoupled")),
        below("l2_is_more_uneven", uneven("l2") / uneven("decoupled"), 1.0, "log"),
    ]


SHOWN = {"keys": ("l2", "decoupled"), "bottom": 0}
FIGURES = {"word_decay": partial(draw_groups, table="word_decay", value="kept", by="method", **SHOWN)}
