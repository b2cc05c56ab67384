"""Part of the lab `optimizers`: which weights Adam's two kinds of decay shrink, by how often they get a gradient.

Where gradients are rare their average size is small. L2's λw is divided by that small size, so it pulls hardest at the
words that the text says least about. Decoupled decay takes the same share of every weight at every step.
"""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.optimizers.words import BETAS, GROUP_HEADINGS, OCCURRENCES, STEPS, Pairs, by_group, fit
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Language, Progress, Table, Words, track
from hf_llm.experiments.shared.textbook_optimizers import Adam

RATE = 0.01
DECAYS = {"none": (0.0, False), "l2": (1e-4, False), "decoupled": (0.3, True)}  # λ: both shrink the mean row alike
METHODS = {"l2": Words(pt="L2 na perda", en="L2 in the loss"),
           "decoupled": Words(pt="decaimento desacoplado", en="decoupled decay")}  # fmt: skip


def decay_on_words(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of how far L2 and decoupled decay shrink frequent and rare words."""
    pairs, steps = Pairs.read(), 100 if quick else STEPS
    norms = {decay: [] for decay in DECAYS}  # a row a seed: by how frequent the word is
    for decay, seed in track([(decay, seed) for decay in DECAYS for seed in range(seeds)], progress):
        weight_decay, decoupled = DECAYS[decay]
        make = partial(Adam, betas=BETAS, weight_decay=weight_decay, decoupled=decoupled)
        _, embedding = fit(pairs, make, RATE, seed, steps)
        norms[decay].append(by_group(embedding.norm(dim=1), pairs.group))
    kept = {decay: np.array(norms[decay]) / np.array(norms["none"]) for decay in METHODS}  # (seeds, groups)
    rows = [
        {"method": name, "decay": DECAYS[decay][0], "mean": float(kept[decay].mean()),
         **dict(zip(GROUP_HEADINGS, kept[decay].mean(axis=0).tolist())), "kept": kept[decay].tolist()}
        for decay, name in METHODS.items()
    ]  # fmt: skip
    headings = {
        "method": Words(pt="como", en="how"),
        "decay": Words(pt="λ", en="λ"),
        "mean": Words(pt="média dos grupos", en="mean of the groups"),
        **GROUP_HEADINGS,
    }
    caption = Words(
        pt="O que resta da norma de uma linha da matriz de embeddings, em relação ao treino sem decaimento",
        en="What is left of the norm of a row of the embedding matrix, relative to training without decay",
    )

    def uneven(decay: str) -> np.ndarray:
        return kept[decay][:, -1] - kept[decay][:, 0]

    measure = Words(pt="o que resta das mais frequentes − o que resta das mais raras",
                    en="what is left of the most frequent − what is left of the rarest")  # fmt: skip
    findings = [
        over_seeds((
            Words(pt="Com Adam, o L2 encolhe as palavras raras mais que as frequentes.",
                  en="With Adam, L2 shrinks rare words more than frequent ones."),
            measure,
        ), uneven("l2")),
        over_seeds((
            Words(pt="Com Adam, o decaimento desacoplado encolhe as palavras raras mais que as frequentes.",
                  en="With Adam, decoupled decay shrinks rare words more than frequent ones."),
            measure,
        ), uneven("decoupled")),
        over_seeds((
            Words(pt="O L2 encolhe raras e frequentes de forma mais desigual que o decaimento desacoplado.",
                  en="L2 shrinks rare and frequent words more unevenly than decoupled decay."),
            Words(pt="a mesma diferença: L2 − desacoplado", en="the same difference: L2 − decoupled"),
        ), uneven("l2") - uneven("decoupled")),
    ]  # fmt: skip
    table = Table(caption, headings, rows)
    return findings, {"kept": table}, {"kept": _kept_chart(table)}


def _kept_chart(table: Table) -> Chart:
    caption = Words(
        pt="O que resta da norma de cada linha da matriz de embeddings, em relação ao treino sem decaimento: média e "
        "faixa sobre as sementes.",
        en="What is left of the norm of a row of the embedding matrix, relative to training without decay: mean and "
        "range over the seeds.",
    )
    share = Words(pt="norma ÷ norma sem decaimento", en="norm ÷ norm without decay")

    def draw(language: Language) -> Figure:
        figure, axes = new_figure()
        for number, row in enumerate(table.rows):
            band(axes[0, 0], range(len(GROUP_HEADINGS)), row["kept"], row["method"][language], number)
        axes[0, 0].set_xticks(range(len(GROUP_HEADINGS)), GROUP_HEADINGS)
        axes[0, 0].set_ylim(0, None)
        label(axes[0, 0], OCCURRENCES[language], share[language])
        return figure

    return Chart(caption, draw)
