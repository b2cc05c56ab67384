"""Embedding table: what its rows say about their tokens before and after training, and who is next to whom.

The model reads ids and never sees a letter: that a token begins with a space or a capital can be in its vector only
because such tokens are used alike.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, means, select, within
from hf_llm.experiments.frame.charts import COLOURS, Figure, error_bars, label, name_of, new_figure
from hf_llm.experiments.gpt2_anatomy.training import Grid, grid_of, read_parts, trained, untrained
from hf_llm.experiments.gpt2_anatomy.words import WORD_CLASSES
from hf_llm.tokenization.readable import token_bytes, token_labels

PROPERTIES = ("space", "capital", "word_class")
SOURCES = ("trained", "untrained", "shuffled", "frequency")  # a probe's input; or its labels are shuffled
CONTROLS = ("untrained", "shuffled", "frequency")
BLOCKS = 5  # of tokens, for cross-validation
NEAR_CHANCE = 0.1  # share of right answers from which a control is off chance
SHOWN, NEIGHBOURS = (" the", " he", " is", " king", "And", "ing"), 3
CHANCE = {"space": 1 / 2, "capital": 1 / 2, "word_class": 1 / len(WORD_CLASSES)}  # of a balanced accuracy


def measure(study: Study) -> Tables:
    grid, tables = grid_of(study), {"probe": [], "neighbours": [], "classmates": []}
    tokenizer, train = read_parts(grid).corpus.tokenizer, read_parts(grid).ids["train"]
    counts = np.bincount(train, minlength=len(tokenizer))
    frequency = np.log1p(counts)[:, None] ** [1, 2, 3]  # (vocab, 3): a curve, not only a line
    labels = {name: labels_of(grid, counts, name) for name in PROPERTIES}
    for seed in study.track(study.seeds):
        before, after = (
            model.transformer.wte.weight.detach().numpy()  # (vocab, n_embd)
            for model in (untrained(grid, "whole", seed), trained(grid, "whole", seed).model)
        )
        for name, (ids, classes) in labels.items():
            mixed = np.random.default_rng(seed).permutation(classes)
            inputs = [(after, classes), (before, classes), (after, mixed), (frequency, classes)]
            tables["probe"] += [
                {"property": name, "source": source, "seed": seed, "accuracy": probe(table[ids], right, seed),
                 "tokens": len(ids)}
                for source, (table, right) in zip(SOURCES, inputs)
            ]  # fmt: skip
        for when, table in (("untrained", before), ("trained", after)):
            ids, classes = labels["word_class"]
            tables["classmates"].append({"when": when, "seed": seed, "share": classmates(table[ids], classes)})
            if seed == study.seeds[0]:
                tables["neighbours"] += [{"when": when, **row} for row in neighbours(table, grid, counts)]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def labels_of(grid: Grid, counts: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the tokens that have the property or its opposite, and which of its values each has, (n,).

    Only tokens of letters that the training text holds are asked for "space" and "capital", and only words that begin
    with a space for the word class.
    """
    tokenizer = read_parts(grid).corpus.tokenizer
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    texts = {id: token_bytes(names[id]).decode(errors="replace") for id in range(1, len(names)) if counts[id]}
    words = {id: text for id, text in texts.items() if text.strip().isalpha() and text.strip().isascii()}
    match name:
        case "space":
            found = {id: text.startswith(" ") for id, text in words.items()}
        case "capital":
            found = {id: text.strip()[0].isupper() for id, text in words.items()}
        case "word_class":
            by_word = {f" {word}": kind for kind, listed in WORD_CLASSES.items() for word in listed.split()}
            found = {id: by_word[text] for id, text in texts.items() if text in by_word}
    return np.array(list(found)), np.array(list(found.values()))


def probe(vectors: np.ndarray, classes: np.ndarray, seed: int) -> float:
    """Return how well a linear classifier reads `classes` (n,) from `vectors` (n, width): balanced accuracy, held out.

    Balanced: the mean over the classes, so that always naming the most frequent one is no better than chance.
    """
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))
    folds = StratifiedKFold(BLOCKS, shuffle=True, random_state=seed)
    return float(cross_val_score(classifier, vectors, classes, cv=folds, scoring="balanced_accuracy").mean())


def classmates(vectors: np.ndarray, classes: np.ndarray) -> float:
    """Return the share of words whose nearest neighbour by cosine, among the words, is of their class."""
    cosines = cosine_similarity(vectors)  # (n, n)
    np.fill_diagonal(cosines, -1)
    return float((classes[cosines.argmax(axis=1)] == classes).mean())


def neighbours(table: np.ndarray, grid: Grid, counts: np.ndarray) -> list[dict]:
    """Return the nearest tokens, of those that the training text holds, for each of `SHOWN` that is a token."""
    tokenizer = read_parts(grid).corpus.tokenizer
    known = np.flatnonzero(counts)
    labels = token_labels(tokenizer, known.tolist())
    shown = [text.replace(" ", "␣") for text in SHOWN]
    rows = []
    for text in [text for text in shown if text in labels]:
        cosines = cosine_similarity(table[known[[labels.index(text)]]], table[known])[0]  # (known,)
        nearest = [place for place in cosines.argsort()[::-1] if labels[place] != text][:NEIGHBOURS]
        rows += [
            {"token": text, "rank": rank, "neighbour": labels[place], "cosine": float(cosines[place])}
            for rank, place in enumerate(nearest, start=1)
        ]
    return rows


def findings(tables: Tables) -> list[Finding]:
    table, near = tables["probe"], tables["classmates"]

    def accuracy(name: str, source: str) -> np.ndarray:
        return by_seed(table, "accuracy", property=name, source=source)

    def off_chance(source: str) -> np.ndarray:
        return max((accuracy(name, source) - CHANCE[name] for name in PROPERTIES), key=lambda off: abs(off.mean()))

    return [
        # against whichever control reads most
        *(above(f"probe_{name}", accuracy(name, "trained") - max(
            (accuracy(name, control) for control in CONTROLS), key=np.mean)) for name in PROPERTIES),
        above("neighbours_alike", by_seed(near, "share", when="trained") - by_seed(near, "share", when="untrained")),
        *(within(f"{source}_at_chance", off_chance(source), NEAR_CHANCE) for source in ("untrained", "shuffled")),
    ]  # fmt: skip


def summary(tables: Tables) -> pd.DataFrame:
    wide = means(tables["probe"], ["property", "source"], ["accuracy"])
    wide = wide.pivot(index="property", columns="source", values="accuracy").loc[list(PROPERTIES), list(SOURCES)]
    tokens = tables["probe"].groupby("property")["tokens"].first()
    return wide.assign(chance=CHANCE, tokens=tokens.astype(int)).round(3).reset_index()


def draw_probe(tables: Tables, say: Say) -> Figure:
    """Balanced accuracy of the probes: bars by property, a colour for each input."""
    figure, ((axis,),) = new_figure(1, 1, width=7, height=3.4)
    places = np.arange(len(PROPERTIES))
    for number, source in enumerate(SOURCES):
        rows = select(tables["probe"], source=source)
        heights, sides = error_bars(rows, "accuracy", "property", PROPERTIES)
        shift = (number - 1.5) / 5
        axis.bar(
            places + shift, heights, 0.19, yerr=sides, color=COLOURS[number], label=name_of(source, say), capsize=2
        )
    for place, name in zip(places, PROPERTIES):
        axis.hlines(CHANCE[name], place - 0.42, place + 0.42, color="black", lw=1)
    axis.set_xticks(places, [name_of(name, say) for name in PROPERTIES])
    axis.set_ylim(0, 1.45)  # the legend lies above the bars
    label(axis, "", say("figures.accuracy"))
    return figure


def draw_neighbours(tables: Tables, say: Say) -> Figure:
    """The nearest tokens of some, before and after training, with their cosine similarity."""
    figure, (panels,) = new_figure(1, 2, width=4.6, height=4.6)
    table = tables["neighbours"]
    for axis, when in zip(panels, ("untrained", "trained")):
        rows = select(table, when=when)
        heights = np.arange(len(rows))[::-1]
        axis.barh(heights, rows["cosine"], color=COLOURS[0])
        axis.set_yticks(heights, [f"{row.token} → {row.neighbour}" for row in rows.itertuples()])
        axis.set_xlim(0, 1)
        label(axis, say("figures.cosine"), "", name_of(when, say), legend=False)
    return figure


FIGURES = {"probe": draw_probe, "neighbours": draw_neighbours}
SUMMARIES = {"probe": summary}
