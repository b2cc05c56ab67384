"""The grid, and each training that several parts look at: done once.

Both tasks run by the loop that everything else is trained with. A rate is searched for each start on the validation
part, with seeds of its own, so that no start has the better settings; the test part judges, and chose nothing.
"""

import copy
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score
from torch import nn
from transformers import PreTrainedModel

from hf_llm.data import LabelledTexts, draw_messages, split_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.frame import Study
from hf_llm.experiments.pretrained_vs_finetuned.starts import base_of, message_parts, model_of, shuffled
from hf_llm.experiments.shared.language_runs import TEST, VALIDATION, read_or_sample, train_language_model
from hf_llm.experiments.shared.pretrained_base import TEXT
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.adaptation import sequence_classifier
from hf_llm.tokenization.corpus import Corpus, corpus_from_text
from hf_llm.tokenization.tokenizer import encode_document, token_byte_lengths
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.loop import train
from hf_llm.training.text_classification import TextClassification, message_logits

VERDICT = "the-verdict"
CONTEXT = 128  # tokens of a message or of a window


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    steps: tuple[tuple[int, int], ...]  # (labels, steps of the classifier)
    batch: int  # messages a step
    rates: tuple[float, ...]  # that are tried
    searched: tuple[int, ...]  # numbers of labels that they are tried with
    tested: int  # messages of a held-out part that are scored, at most
    verdict_steps: int
    evaluations: int  # points of a curve, and steps that validation picks from
    windows: int  # of CONTEXT tokens a step
    old_tokens: int  # of the first text's held-out part
    written: int = 24  # tokens that a model writes

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(count for count, _ in self.steps)


FULL = Grid(
    ((16, 30), (64, 40), (256, 64), (1024, 128)), batch=8, rates=(3e-4, 1e-3, 3e-3), searched=(16, 64), tested=2000,
    verdict_steps=120, evaluations=8, windows=4, old_tokens=1000,
)  # fmt: skip
QUICK = Grid(
    ((16, 8), (64, 12)), batch=8, rates=(1e-3,), searched=(16,), tested=100, verdict_steps=12, evaluations=2, windows=4,
    old_tokens=300,
)  # fmt: skip


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


def setup_of(study: Study) -> Study:
    """Return what a training depends on, so that two parts which ask for the same one share it."""
    return Study(range(0), quick=study.quick, base=study.base)


@lru_cache(maxsize=64)
def classifier(study: Study, start: str, count: int, rate: float, seed: int, deal: bool = False) -> PreTrainedModel:
    """Return a classifier of messages that was trained on `count` labels; with `deal` these are shuffled first."""
    grid, base, train_part = grid_of(study), base_of(study, start), message_parts()["train"]
    messages = draw_messages(train_part, min(count, len(train_part)), seed)
    if deal:
        messages = shuffled(messages, seed)
    model = sequence_classifier(model_of(study, start, seed), messages.classes, base.tokenizer.pad_token_id, seed)
    task = TextClassification(
        model, base.tokenizer, messages, messages.select(np.arange(2)), context=CONTEXT, total_batch_size=grid.batch,
        per_device_batch_size=grid.batch, seed=seed,
    )  # fmt: skip
    sizes = {"total_batch_size": grid.batch, "per_device_train_batch_size": grid.batch}
    train(task, short_run(dict(grid.steps)[count], rate, seed, **sizes))
    return model


def states(study: Study, start: str, seed: int, messages: LabelledTexts) -> np.ndarray:
    """Return what a frozen model hands to a classifier: its state at the last token of each text, (N, width)."""
    base = base_of(study, start)
    model = sequence_classifier(model_of(study, start, seed), messages.classes, base.tokenizer.pad_token_id, seed)
    model.score = nn.Identity()
    return message_logits(model, base.tokenizer, messages.texts, CONTEXT).numpy()


def log_odds(study: Study, start: str, model: PreTrainedModel, messages: LabelledTexts) -> np.ndarray:
    """Return how much a classifier prefers the second class, spam, (N,)."""
    logits = message_logits(model, base_of(study, start).tokenizer, messages.texts, CONTEXT)  # (N, 2)
    return (logits[:, 1] - logits[:, 0]).numpy()


def figures(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return how good scores (N,) are at telling spam, the second class, from the first one.

    `accuracy`; `f1`, the harmonic mean of precision and recall of spam; `auc`, how often a spam message scores above
    another one; `base_rate`, the accuracy of always naming the frequent class.
    """
    answers = scores > 0
    return {
        "accuracy": float((answers == labels).mean()), "f1": float(f1_score(labels, answers, zero_division=0.0)),
        "auc": float(roc_auc_score(labels, scores)), "base_rate": float(1 - labels.mean()),
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Story:
    """The second corpus, as a start's tokenizer writes it, and the held-out end of the first one."""

    corpus: Corpus  # training and validation
    test: np.ndarray  # token ids
    old: np.ndarray


@lru_cache(maxsize=4)
def story(study: Study, start: str) -> Story:
    tokenizer, text = base_of(study, start).tokenizer, read_or_sample(VERDICT)
    rest, test = split_text(text.text, TEST)
    _, old = split_text(read_or_sample(TEXT).text)  # what pretraining held out
    corpus = corpus_from_text(replace(text, text=rest), tokenizer, VALIDATION)
    old_ids = encode_document(tokenizer, old)[: grid_of(study).old_tokens]
    return Story(corpus, encode_document(tokenizer, test), old_ids)


@dataclass(frozen=True, eq=False)
class Reader:
    """A language model after its training on the second corpus."""

    model: PreTrainedModel  # with the weights that validation picks
    curve: list[dict]  # step, and bits per byte of `validation`, `test`, and `old`, the first text


@lru_cache(maxsize=32)
def reader(study: Study, start: str, rate: float, seed: int) -> Reader:
    """Return a start trained on The Verdict."""
    grid, texts = grid_of(study), story(study, start)
    model = model_of(study, start, seed)
    task = CausalLM(
        model, texts.corpus, context=CONTEXT, stride=1, total_batch_size=grid.windows,
        per_device_batch_size=grid.windows, seed=seed,
    )  # fmt: skip
    curve, kept = [], {}

    def look(record: dict) -> None:
        curve.append(record | {"test": bits(model, texts.test, task), "old": bits(model, texts.old, task)})
        if record["validation"] <= min(point["validation"] for point in curve):
            kept.update(copy.deepcopy(model.state_dict()))

    look({"step": 0, "validation": task.evaluate(model)["bits_per_byte"]})
    every = grid.verdict_steps // grid.evaluations
    train_language_model(
        task, grid.verdict_steps, rate, eval_steps=every, logging_steps=every,
        on_record=lambda record: look({"step": record["step"], "validation": record["bits_per_byte"]}),
    )  # fmt: skip
    model.load_state_dict(kept)
    return Reader(model.eval(), curve)


def bits(model: PreTrainedModel, ids: np.ndarray, task: CausalLM) -> float:
    """Return bits per byte, each token predicted from at least half a context."""
    return evaluate_tokens(model, ids, task.byte_lengths, stride=CONTEXT // 2, context=CONTEXT).bits_per_byte


def old_bits(study: Study, start: str, classifier: PreTrainedModel) -> float:
    """Return what the first text costs when a classifier's weights predict the next token again."""
    texts, base = story(study, start), base_of(study, start)
    model = model_of(study, start, 0)
    model.base_model.load_state_dict(classifier.base_model.state_dict())
    lengths = token_byte_lengths(base.tokenizer)
    return evaluate_tokens(model, texts.old, lengths, stride=CONTEXT // 2, context=CONTEXT).bits_per_byte
