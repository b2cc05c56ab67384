"""The grid, the messages of a seed, and each method trained once, whichever parts ask for it."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from hf_llm.data import LabelledTexts, draw_messages, read_messages, split_messages
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.pretrained_base import PretrainedBase, pretrained_base
from hf_llm.experiments.tfidf_vs_llm.methods import new_method

TEST = 0.2  # of the messages


@dataclass(frozen=True)
class Grid:
    """What is run."""

    steps: tuple[tuple[int, int], ...]  # of the fine-tuning, for each number of labels
    test: int  # messages or sentences, at most, of which accuracy and F1 are measured
    timed: int  # messages that are timed one by one
    spoilt: int  # messages of the test that are spoilt, at most
    strengths: dict[str, tuple[float, ...]]  # of each kind of spoiling; findings are on the middle one
    explained: int  # messages of the test whose words are taken away one by one
    shuffled: int  # labels that are shuffled
    sentences: int  # that the task of word order trains on
    order_steps: int  # of its fine-tuning

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of labels."""
        return tuple(count for count, _ in self.steps)


FULL = Grid(
    steps=((16, 30), (64, 40), (512, 80), (4000, 500)), test=1200, timed=100, spoilt=400,
    strengths={"typos": (0.05, 0.1, 0.2), "leetspeak": (0.25, 0.5, 1.0)}, explained=200, shuffled=512,
    sentences=1000, order_steps=150,
)  # fmt: skip
QUICK = Grid(
    steps=((16, 15), (128, 30)), test=150, timed=20, spoilt=100, strengths={"typos": (0.1,), "leetspeak": (0.5,)},
    explained=20, shuffled=128, sentences=100, order_steps=20,
)  # fmt: skip


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


@lru_cache(maxsize=8)
def parts_of(seed: int) -> dict[str, LabelledTexts]:
    """Return the parts `train` and `test` of the messages, as the seed splits them."""
    return split_messages(read_messages().messages, seed, validation=0.0, test=TEST)


def test_of(seed: int, most: int) -> LabelledTexts:
    """Return at most so many messages of the test, the first of a random order."""
    test = parts_of(seed)["test"]
    return draw_messages(test, min(most, len(test)), seed)


@dataclass(frozen=True)
class Trained:
    """A fitted method, and how long fitting took."""

    method: object  # of `methods`
    seconds: float  # of CPU time


@lru_cache(maxsize=128)  # a full run trains 105, of which the last parts ask for those of the first
def trained(name: str, base: PretrainedBase, count: int, steps: int, seed: int, shuffled: bool) -> Trained:
    """Return the method trained on `count` messages of a seed, their labels shuffled where that is asked for.

    A count of 0 is for the method that sees no label.
    """
    if count == 0:
        return Trained(new_method(name, base, steps, seed), 0.0)
    messages = draw_messages(parts_of(seed)["train"], count, seed)
    if shuffled:
        messages = replace(messages, labels=np.random.default_rng(seed).permutation(messages.labels))
    return fit(new_method(name, base, steps, seed), messages)


def trained_on_all(name: str, base: PretrainedBase, grid: Grid, seed: int):
    """Return the method trained on the largest number of labels, zero-shot on none."""
    count, steps = (0, 0) if name == "gpt2_zero_shot" else grid.steps[-1]
    return trained(name, base, count, steps, seed, False).method


def fit(method, messages: LabelledTexts) -> Trained:
    start = time.process_time()  # the only thread computes all the time, and what else the machine does is not counted
    method.fit(messages)
    return Trained(method, time.process_time() - start)


def base_of(study: Study) -> PretrainedBase:
    """Return the pretrained GPT-2 that all methods but TF-IDF begin with."""
    return pretrained_base(study)


def figures(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return how good scores (N,) are at telling spam, the second class, from the first one.

    `accuracy`; `f1`, the harmonic mean of precision and recall of spam; `recall`, the share of spam that is found;
    `alarms`, the share of other messages that are taken for spam; `auc`, how often a spam message scores above
    another one; `base_rate`, the accuracy of always saying no.
    """
    answers = scores > 0
    return {
        "accuracy": float((answers == labels).mean()), "f1": f1_score(labels, answers, zero_division=0.0),
        "recall": recall_score(labels, answers, zero_division=0.0), "alarms": float(answers[labels == 0].mean()),
        "auc": roc_auc_score(labels, scores),
        "base_rate": float(1 - labels.mean()),
    }  # fmt: skip
