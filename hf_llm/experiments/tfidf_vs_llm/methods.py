"""The methods with one interface: `fit(messages)`, then `scores(texts)`, above 0 for the second class.

tfidf_words      counts words and pairs of words; a linear machine weighs them
tfidf_chars      the same on characters, every digit a 0
gpt2_features    the pretrained GPT-2 is frozen; the linear machine weighs its last states, averaged over the text
gpt2_finetuned   all its weights are trained on, with a linear layer on its last state
gpt2_zero_shot   sees no label: compares how probable it finds two words after the message

Two more are controls of single parts: `tfidf_digits`, on characters, with digits as they are; `tfidf_triples`, on words
and up to three in a row.
"""

from functools import partial

import numpy as np
import torch
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from hf_llm.data import LabelledTexts
from hf_llm.evaluation.label_likelihood import label_log_probabilities, label_probabilities
from hf_llm.experiments.shared.pretrained_base import PretrainedBase
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.experiments.tfidf_vs_llm.tfidf import linear_svm, tfidf_chars, tfidf_words
from hf_llm.models.adaptation import sequence_classifier
from hf_llm.training.loop import train
from hf_llm.training.text_classification import TextClassification, encode_messages, message_logits, pad

TFIDF, TRAINED_GPT2 = ("tfidf_words", "tfidf_chars"), ("gpt2_features", "gpt2_finetuned")
TRAINED = (*TFIDF, *TRAINED_GPT2)
DIGITS, TRIPLES = "tfidf_digits", "tfidf_triples"  # the controls
METHODS = (*TRAINED, "gpt2_zero_shot")
RATE, BATCH = 1e-3, 16  # tried on seed 1000, which is none of the comparison
CONTEXT = 128  # tokens of a message that are read; one in a hundred is longer
PROMPT, LABELS, NO_CONTENT = "Message: {}\nKind:", [" normal", " spam"], ["Message: N/A\nKind:", "Message: \nKind:"]
ROWS = 64  # texts at once


def new_method(name: str, base: PretrainedBase, steps: int, seed: int) -> "Linear | FineTuned | ZeroShot":
    """Return an untrained method of `METHODS`, or a control; `steps` and `seed` are of the fine-tuning."""
    match name:
        case "tfidf_words":
            return Linear(tfidf_words())
        case "tfidf_chars":
            return Linear(tfidf_chars())
        case "tfidf_digits":
            return Linear(tfidf_chars(str.lower))
        case "tfidf_triples":
            return Linear(tfidf_words(3))
        case "gpt2_features":
            features = FunctionTransformer(partial(mean_states, base))
            return Linear(make_pipeline(features, StandardScaler(), linear_svm()))
        case "gpt2_finetuned":
            return FineTuned(base, steps, seed)
        case "gpt2_zero_shot":
            return ZeroShot(base)


class Linear:
    """A pipeline of scikit-learn that ends with the linear machine."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline

    def fit(self, messages: LabelledTexts) -> None:
        self.pipeline.fit(messages.texts, messages.labels)

    def scores(self, texts: tuple[str, ...]) -> np.ndarray:
        """Return the distances from the plane in units of the margin, (N,)."""
        return self.pipeline.decision_function(texts)


class FineTuned:
    """The pretrained GPT-2 as a sequence classifier of transformers, all weights trained; `scores` are log-odds."""

    def __init__(self, base: PretrainedBase, steps: int, seed: int):
        self.base, self.steps, self.seed = base, steps, seed

    def fit(self, messages: LabelledTexts) -> None:
        self.model = sequence_classifier(self.base.model, messages.classes, self.base.tokenizer.pad_token_id, self.seed)
        batch = min(BATCH, len(messages))
        task = TextClassification(
            self.model, self.base.tokenizer, messages, messages.select(np.arange(batch)), context=CONTEXT,
            total_batch_size=batch, per_device_batch_size=batch, seed=self.seed,
        )  # fmt: skip
        sizes = {"total_batch_size": batch, "per_device_train_batch_size": batch}
        train(task, short_run(self.steps, RATE, self.seed, **sizes))

    def scores(self, texts: tuple[str, ...]) -> np.ndarray:
        logits = message_logits(self.model, self.base.tokenizer, texts, CONTEXT)  # (N, 2)
        return (logits[:, 1] - logits[:, 0]).double().numpy()


class ZeroShot:
    """The pretrained GPT-2 as it is; what it thinks of a message without content is divided out (Zhao et al. 2021)."""

    def __init__(self, base: PretrainedBase):
        self.model, self.tokenizer = base.model, base.tokenizer

    def scores(self, texts: tuple[str, ...]) -> np.ndarray:
        """Return log-odds of " spam" against " normal", (N,)."""
        asked = [PROMPT.format(text) for text in texts]
        answers, empty = (label_log_probabilities(self.model, self.tokenizer, prompts, LABELS)
                          for prompts in (asked, NO_CONTENT))  # fmt: skip
        return np.diff(np.log(label_probabilities(answers, empty)), axis=1)[:, 0]


@torch.inference_mode()
def mean_states(base: PretrainedBase, texts: tuple[str, ...]) -> np.ndarray:
    """Return the last states of the frozen model, averaged over the tokens of each text, (N, width)."""
    rows = encode_messages(base.tokenizer, texts, CONTEXT)
    order = np.argsort([len(row) for row in rows], kind="stable")  # texts of a length together need little padding
    states = [None] * len(rows)
    model = base.model.base_model.eval()
    for start in range(0, len(rows), ROWS):
        places = order[start : start + ROWS]
        batch = pad([rows[place] for place in places], base.tokenizer.pad_token_id)
        read = model(**batch).last_hidden_state  # (B, T, width)
        mask = batch["attention_mask"].unsqueeze(2)  # (B, T, 1)
        means = (read * mask).sum(dim=1) / mask.sum(dim=1)  # (B, width)
        for place, mean in zip(places, means):
            states[place] = mean.double().numpy()
    return np.stack(states)
