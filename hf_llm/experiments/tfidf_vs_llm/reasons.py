"""Reasons: which messages only one of the two gets right, and on which words each relies.

For TF-IDF the weights of the support vector machine say it. The GPT-2 has no weight for a word: a word is taken out of
a message, and what counts is by how much the log-odds of spam fall, averaged over the messages that have it.
"""

import re
from collections import defaultdict

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above
from hf_llm.experiments.frame.charts import Figure, label, new_figure, style
from hf_llm.experiments.tfidf_vs_llm.tfidf import word_weights
from hf_llm.experiments.tfidf_vs_llm.training import base_of, grid_of, test_of, trained_on_all

PAIR = ("tfidf_words", "gpt2_finetuned")
WORD = re.compile(r"\b\w\w+\b")  # what TF-IDF takes for one
OFTEN, SHOWN, ALIKE = 3, 10, 0.5  # messages that a word must stand in; words in the figure; rank correlation
ONLY_WORDS, ONLY_GPT2 = "only_tfidf", "only_gpt2"


def measure(study: Study) -> Tables:
    """Compare the two, trained on all labels, message by message and word by word."""
    grid, base = grid_of(study), base_of(study)
    agreement, examples, words = [], [], []
    for seed in study.track(study.seeds):
        test = test_of(seed, grid.test)
        methods = [trained_on_all(name, base, grid, seed) for name in PAIR]
        right = [(method.scores(test.texts) > 0) == test.labels for method in methods]
        cases = {"both": right[0] & right[1], ONLY_WORDS: right[0] & ~right[1], ONLY_GPT2: right[1] & ~right[0],
                 "neither": ~right[0] & ~right[1]}  # fmt: skip
        agreement.append(
            {"seed": seed, "messages": len(test)} | {case: int(ours.sum()) for case, ours in cases.items()}
        )
        examples += [
            {"seed": seed, "case": case, "label": test.classes[test.labels[place]], "text": test.texts[place]}
            for case in (ONLY_WORDS, ONLY_GPT2) for place in np.flatnonzero(cases[case])
        ]  # fmt: skip
        texts = test.select(explained(test.labels, grid.explained)).texts
        weights, (svm_fall, fall) = word_weights(methods[0].pipeline), (falls(method, texts) for method in methods)
        words += [
            {"seed": seed, "word": word, "messages": len(ours), "weight": weights[word],
             "svm_fall": np.mean(svm_fall[word]), "fall": np.mean(ours)}
            for word, ours in fall.items() if len(ours) >= OFTEN and word in weights
        ]  # fmt: skip
    return {name: pd.DataFrame(rows) for name, rows in
            (("agreement", agreement), ("examples", examples), ("words", words))}  # fmt: skip


def explained(labels: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the first messages, half of them spam, so that its words occur often enough."""
    return np.concatenate([np.flatnonzero(labels == label)[: count // 2] for label in (0, 1)])


def falls(method, texts: tuple[str, ...]) -> dict[str, list[float]]:
    """Return for each word, in lower case, by how much the score falls in each text where it is taken out."""
    shorter, asked = [], []
    for place, text in enumerate(texts):
        for word in dict.fromkeys(match.group().lower() for match in WORD.finditer(text)):
            without = re.sub(rf"\b{re.escape(word)}\b", "", text, flags=re.IGNORECASE)
            if without.strip():
                shorter.append(" ".join(without.split()))
                asked.append((place, word))
    whole = method.scores(tuple(" ".join(text.split()) for text in texts))
    fall = defaultdict(list)
    for (place, word), score in zip(asked, method.scores(tuple(shorter))):
        fall[word].append(whole[place] - score)
    return dict(fall)


def findings(tables: Tables) -> list[Finding]:
    agreement = tables["agreement"].sort_values("seed")

    def alike(column: str) -> list[float]:
        """Rank correlation of the machine's weights with what a word's removal does, (seeds,)."""
        return [spearmanr(rows["weight"], rows[column]).statistic for _, rows in tables["words"].groupby("seed")]

    wrong_gpt2 = agreement[ONLY_WORDS] + agreement["neither"]
    return [
        above("same_words", alike("fall"), ALIKE, scale="fisher"),
        above("gpt2_repeats_itself", repeats(tables["words"]), ALIKE, scale="fisher"),
        above("removal_sees_weights", alike("svm_fall"), ALIKE, scale="fisher"),
        above("words_mend_gpt2", 100 * agreement[ONLY_WORDS] / wrong_gpt2.clip(lower=1), 50),
    ]


def repeats(words: pd.DataFrame) -> list[float]:
    """Return the rank correlation of the GPT-2's falls with those of the next seed's GPT-2, over the words of both.

    Another seed is another fine-tuning, on other messages: what the two agree on is the most that can be expected of
    any other method.
    """
    falls = words.pivot(index="word", columns="seed", values="fall")
    pairs = zip(falls.columns, np.roll(falls.columns, -1))
    return [spearmanr(falls[[one, other]].dropna()).statistic for one, other in pairs]


def example(tables: Tables, case: str) -> str:
    """Return the shortest message of a case that has four words or more, a dash where there is none.

    One that several seeds have comes first.
    """
    seeds = tables["examples"].query("case == @case").groupby("text")["seed"].nunique()
    texts = [(seeds[text] == 1, len(text), text) for text in seeds.index if len(text.split()) >= 4]
    return min(texts, default=(0, 0, "–"))[-1]


def counts(tables: Tables) -> pd.DataFrame:
    """Return the messages of each case, means over the seeds."""
    columns = ["messages", "both", ONLY_WORDS, ONLY_GPT2, "neither"]
    return tables["agreement"][columns].mean().round(1).to_frame().T


def draw_words(tables: Tables, say: Say) -> Figure:
    """The words that speak most for spam, to the machine's weights and to the GPT-2, means over the seeds."""
    table = tables["words"].groupby("word")[["weight", "fall", "messages"]].agg(
        {"weight": "mean", "fall": "mean", "messages": "size"})  # fmt: skip
    table = table[table["messages"] >= (table["messages"].max() + 1) // 2]  # words of at least half of the seeds
    figure, axes = new_figure(1, 2, width=4.4, height=4)
    for number, (axis, column) in enumerate(zip(axes[0], ("weight", "fall"))):
        top = table[column].nlargest(SHOWN)[::-1]
        axis.barh(range(len(top)), top, color=style(number)["color"])
        axis.set_yticks(range(len(top)), top.index)
        label(axis, say(f"figures.{column}"), "", say(f"names.{PAIR[number]}"), legend=False)
    return figure


FIGURES = {"words": draw_words}
SUMMARIES = {"agreement": counts}
