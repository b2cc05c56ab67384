"""Word order: a task in which every sentence has a twin of the same words, in another order, of the other class.

    the captain of Brazil himself thanked the captain of Spain himself      1: Brazil acts
    the captain of Spain himself thanked the captain of Brazil himself      0: Brazil is acted on

Both hold the same words and the same pairs of neighbours, so that whoever counts those gets exactly half of them right.
Three words in a row, "Brazil himself thanked", tell them apart: the control that order, too, can be counted.
"""

import numpy as np
import pandas as pd

from hf_llm.data import LabelledTexts
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.tfidf_vs_llm.methods import TFIDF, TRAINED_GPT2, TRIPLES, new_method
from hf_llm.experiments.tfidf_vs_llm.training import base_of, fit, grid_of

FIXED = "Brazil"
OTHERS = ("Spain", "Chile", "France", "Japan", "Ghana", "Italy", "Peru", "Egypt", "Korea", "Norway")
PEOPLE = ("captain", "coach", "doctor", "singer", "teacher", "writer", "king", "driver")
VERBS = ("thanked", "praised", "called", "visited", "helped", "invited", "followed", "answered", "met", "greeted")
COMPARED = (*TFIDF, TRIPLES, *TRAINED_GPT2)
CHANCE, CLEARLY = 50, 20  # percent; percentage points


def sentences(count: int, seed: int) -> dict[str, LabelledTexts]:
    """Return `train` of `count` sentences, both of each pair, and `test` of the pairs that are left."""
    pairs = [(who, other, verb) for who in PEOPLE for other in OTHERS for verb in VERBS]
    order = np.random.default_rng(seed).permutation(len(pairs))
    texts = [sentence(*pairs[place], acts) for place in order for acts in (1, 0)]
    labels = np.tile([1, 0], len(pairs))
    whole = LabelledTexts(tuple(texts), labels, ("acted_on", "acts"))
    return {"train": whole.select(np.arange(count)), "test": whole.select(np.arange(count, len(texts)))}


def sentence(who: str, other: str, verb: str, acts: int) -> str:
    """Return what Brazil's person does to the other one's, or the other way round."""
    first, second = (FIXED, other) if acts else (other, FIXED)
    return f"the {who} of {first} himself {verb} the {who} of {second} himself"


def measure(study: Study) -> Tables:
    """Train every method on sentences and test it on pairs that it has not seen."""
    grid, base = grid_of(study), base_of(study)
    rows = []
    for seed, name in study.track([(seed, name) for seed in study.seeds for name in COMPARED]):
        parts = sentences(grid.sentences, seed)
        method = fit(new_method(name, base, grid.order_steps, seed), parts["train"]).method
        test = parts["test"].select(np.arange(min(grid.test, len(parts["test"]))))
        right = (method.scores(test.texts) > 0) == test.labels
        rows.append({"method": name, "seed": seed, "sentences": grid.sentences, "accuracy": 100 * right.mean()})
    return {"word_order": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    accuracy = {name: by_seed(tables["word_order"], "accuracy", method=name) for name in COMPARED}
    return [
        above("order_finetuned_over_words", accuracy["gpt2_finetuned"] - accuracy["tfidf_words"], CLEARLY),
        above("order_finetuned_over_chars", accuracy["gpt2_finetuned"] - accuracy["tfidf_chars"], CLEARLY),
        above("order_triples_know", accuracy[TRIPLES] - CHANCE, CLEARLY),
        above("order_features_know", accuracy["gpt2_features"] - CHANCE, CLEARLY),
    ]


def draw_order(tables: Tables, say: Say) -> Figure:
    """Accuracy of each method on the twins; the line is chance."""
    figure, ((axis,),) = new_figure(1, 1, width=6, height=3)
    dots(axis, tables["word_order"], "accuracy", "method", say, keys=COMPARED)
    axis.axvline(CHANCE, color="black", lw=0.8)
    axis.set_xlim(0, 102)
    label(axis, say("figures.accuracy_axis"), "", legend=False)
    return figure


FIGURES = {"word_order": draw_order}
