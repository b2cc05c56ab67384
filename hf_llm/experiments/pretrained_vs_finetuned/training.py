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
from hf_llm.experiments.pretrained_vs_finetuned.starts import STARTS, base_of, message_parts, model_of, shuffled
from hf_llm.experiments.shared.language_runs import TEST, VALIDATION, read_or_sample, train_language_model
from hf_llm.experiments.shared.pretrained_base import TEXT
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.adaptation import sequence_classifier
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.corpus import Corpus, corpus_from_text
from hf_llm.tokenization.tokenizer import encode_document
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.loop import train
from hf_llm.training.text_classification import TextClassification, encode_messages, message_logits

VERDICT = "the-verdict"
CONTEXT = 128  # tokens of a message or of a window


@dataclass(frozen=True)
class Share:
    """How many messages of the training part are labelled, and which trainings are run on them."""

    labels: int | None  # None: all of the part
    steps: int
    starts: tuple[str, ...]
    draws: int = 1  # of the labelled messages, for each seed; 0: rates are tried, and nothing else is run
    rates: tuple[float, ...] = ()  # that are tried for each start; none: it takes what the share before it has chosen
    searches: int = 1  # seeds of their own that they are tried with

    @property
    def count(self) -> int:
        return self.labels or len(message_parts()["train"])

    def messages(self, seed: int) -> LabelledTexts:
        """Return the labelled messages."""
        part = message_parts()["train"]
        return draw_messages(part, self.labels, seed) if self.labels else part


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    shares: tuple[Share, ...]  # from few labels to many
    batch: int  # messages a step
    tested: int  # messages of a held-out part that are scored, at most
    story_rates: tuple[float, ...]  # that are tried for each start
    story_steps: int
    evaluations: int  # points of a curve, and steps that validation picks from
    windows: int  # of CONTEXT tokens a step
    old_tokens: int  # of the first text's held-out part
    written: int = 24  # tokens that a model writes


SOME = ("scratch", "pretrained", "messages")
FULL = Grid(
    shares=(
        Share(16, 40, STARTS, draws=3, rates=(3e-4, 1e-3, 3e-3, 1e-2), searches=2),
        Share(256, 64, ("scratch", "pretrained"), rates=(3e-4, 1e-3, 3e-3, 1e-2), searches=2),
        Share(None, 224, SOME, draws=0, rates=(1e-4, 3e-4, 1e-3, 3e-3)),
        Share(None, 448, SOME),  # once through all messages
    ),
    batch=8, tested=2000, story_rates=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2), story_steps=120, evaluations=8, windows=4,
    old_tokens=1000,
)  # fmt: skip
QUICK = Grid(
    shares=(Share(16, 8, STARTS, rates=(1e-3,)), Share(64, 12, SOME)), batch=8,
    tested=100, story_rates=(1e-3,), story_steps=12, evaluations=2, windows=4, old_tokens=300,
)  # fmt: skip


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


def setup_of(study: Study) -> Study:
    """Return what a training depends on, so that two parts which ask for the same one share it."""
    return Study(range(0), quick=study.quick, base=study.base)


def classifier(study: Study, start: str, share: Share, rate: float, seed: int, deal: bool = False) -> PreTrainedModel:
    """Return a classifier of messages that was trained on a share's labels; with `deal` these are shuffled first."""
    grid, base, messages = grid_of(study), base_of(study, start), share.messages(seed)
    if deal:
        messages = shuffled(messages, seed)
    model = sequence_classifier(model_of(study, start, seed), messages.classes, base.tokenizer.pad_token_id, seed)
    task = TextClassification(
        model, base.tokenizer, messages, messages.select(np.arange(2)), context=CONTEXT, total_batch_size=grid.batch,
        per_device_batch_size=grid.batch, seed=seed,
    )  # fmt: skip
    sizes = {"total_batch_size": grid.batch, "per_device_train_batch_size": grid.batch}
    train(task, short_run(share.steps, rate, seed, **sizes))
    return model


@lru_cache(maxsize=32)  # whole parts are asked for again, by the next seed
def states(study: Study, start: str, seed: int, messages: LabelledTexts) -> np.ndarray:
    """Return what a frozen model hands to a classifier: its state at the last token of each text, (N, width).

    `seed` draws the weights of `scratch` alone.
    """
    base = base_of(study, start)
    model = sequence_classifier(model_of(study, start, seed), messages.classes, base.tokenizer.pad_token_id, seed=0)
    model.score = nn.Identity()
    return message_logits(model, base.tokenizer, messages.texts, CONTEXT).numpy()


def lengths(study: Study, messages: LabelledTexts) -> np.ndarray:
    """Return how many tokens of each text a model reads, (N, 1)."""
    rows = encode_messages(base_of(study, "scratch").tokenizer, messages.texts, CONTEXT)
    return np.array([[len(row)] for row in rows], dtype=np.float64)


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
    every = grid.story_steps // grid.evaluations
    train_language_model(
        task, grid.story_steps, rate, eval_steps=every, logging_steps=every,
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
