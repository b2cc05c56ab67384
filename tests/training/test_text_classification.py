"""The text task: its batches, its loss, accumulation, frozen features, what evaluation counts."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import f1_score

from hf_llm.data import read_messages, read_text, split_messages
from hf_llm.models.adaptation import freeze, sequence_classifier
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.tokenizer import train_bpe, without_document_start
from hf_llm.training.config import TrainingConfig
from hf_llm.training.loop import train
from hf_llm.training.text_classification import TextClassification, message_logits


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(read_text("sample").text, 300)


@pytest.fixture(scope="module")
def parts(labelled_file):
    return split_messages(read_messages(str(labelled_file)).messages, seed=0)


def make_task(parts, tokenizer, micro=8, dropout=0.0, frozen=False, double=False):
    config = gpt2_config("nano", len(tokenizer), 32, 1, 2, 16, dropout=dropout, bos_token_id=0)
    model = sequence_classifier(new_gpt2(config, 0), parts["train"].classes, tokenizer.pad_token_id, seed=0)
    if frozen:
        freeze(model)
    if double:
        model.double()
    return TextClassification(
        model, tokenizer, parts["train"], parts["validation"], context=12, total_batch_size=8,
        per_device_batch_size=micro, seed=3,
    )  # fmt: skip


def make_config(**changes):
    settings = {
        "max_steps": 12, "total_batch_size": 8, "per_device_train_batch_size": 8, "warmup_steps": 0, "threads": 1,
        "precision": "fp32", "eval_steps": 1000, "logging_steps": 1, "learning_rate": 3e-3,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


def test_a_batch_holds_the_planned_texts_padded_on_the_right_and_cut_at_the_context(parts, tokenizer):
    task = make_task(parts, tokenizer)
    batch, indices = task.batch(2, 0, 0), task.plan.indices(2, 0, 0)
    assert batch["labels"].tolist() == [int(parts["train"].labels[index]) for index in indices]
    lengths = batch["attention_mask"].sum(dim=1)
    assert lengths.max() == batch["input_ids"].shape[1] <= 12
    for row, mask, index in zip(batch["input_ids"], batch["attention_mask"], indices):
        ids = without_document_start(tokenizer)(parts["train"].texts[index])["input_ids"][:12]
        assert row[: len(ids)].tolist() == ids
        assert mask.tolist() == [1] * len(ids) + [0] * (len(row) - len(ids))
        assert set(row[len(ids) :].tolist()) <= {tokenizer.pad_token_id}


def test_padding_changes_no_answer(parts, tokenizer):
    """GPT-2 is read at the last token that is not padding, whatever else is in the batch."""
    task = make_task(parts, tokenizer)
    texts = parts["validation"].texts
    together = message_logits(task.model, tokenizer, texts, 12)
    alone = torch.cat([message_logits(task.model, tokenizer, (text,), 12) for text in texts])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_the_loss_is_the_models_own_for_one_batch_and_divided_by_n(parts, tokenizer):
    task = make_task(parts, tokenizer)
    task.model.eval()
    batch = task.batch(0, 0, 0)
    own = task.model(**batch).loss
    assert task.loss(task.model, batch, 8).item() == pytest.approx(own.item(), rel=1e-6)
    assert task.loss(task.model, batch, 32).item() == pytest.approx(own.item() / 4, rel=1e-6)


def test_accumulation_of_four_equals_the_big_batch(parts, tokenizer):
    """Micro-batches are padded to lengths of their own, which must not matter."""

    def run(micro, double):
        task = make_task(parts, tokenizer, micro=micro, double=double)
        records = train(task, make_config(per_device_train_batch_size=micro)).records
        weights = torch.cat([weights.flatten() for weights in task.model.parameters()])
        return [record["loss"] for record in records], weights.detach()

    for one, other in zip(run(8, False)[0], run(2, False)[0]):
        assert abs(one - other) <= 1e-6 * one
    big, accumulated = run(8, True)[1], run(2, True)[1]
    assert (big - accumulated).norm() <= 1e-9 * big.norm()


def test_it_learns(parts, tokenizer):
    task = make_task(parts, tokenizer)
    before = task.scores(parts["train"])
    train(task, make_config(max_steps=200, learning_rate=1e-2))
    after = task.scores(parts["train"])
    assert after["loss"] < 0.1 < 0.6 < before["loss"]
    assert after["accuracy"] == 1
    assert task.scores(parts["test"])["accuracy"] > 0.8


def test_frozen_features_are_those_of_evaluation_and_stay_as_they_are(parts, tokenizer):
    task = make_task(parts, tokenizer, dropout=0.5, frozen=True)
    before = {name: weights.clone() for name, weights in task.model.base_model.state_dict().items()}
    batch = task.batch(0, 0, 0)
    losses = {task.loss(task.model.train(), batch, 8).item() for _ in range(3)}
    assert len(losses) == 1  # without dropout
    train(task, make_config())
    assert all(torch.equal(weights, before[name]) for name, weights in task.model.base_model.state_dict().items())
    loose = make_task(parts, tokenizer, dropout=0.5)
    assert len({loose.loss(loose.model.train(), batch, 8).item() for _ in range(3)}) == 3


def test_evaluation_counts_what_is_right_by_class(parts, tokenizer, monkeypatch):
    task, messages = make_task(parts, tokenizer), parts["test"]
    answers = messages.labels.copy()
    answers[:3] = 1 - answers[:3]
    logits = F.one_hot(torch.from_numpy(answers), 2).float()
    monkeypatch.setattr("hf_llm.training.text_classification.message_logits", lambda *_: logits)
    scores = task.scores(messages)
    assert scores["correct"] == len(messages) - 3
    assert scores["accuracy"] == pytest.approx(1 - 3 / len(messages))
    assert scores["f1"] == pytest.approx(f1_score(messages.labels, answers, average="macro"))
    assert scores["f1_by_class"].keys() == {"ham", "spam"}
    assert np.trace(scores["confusion"]) == scores["correct"]
    assert np.sum(scores["confusion"], axis=1).tolist() == np.bincount(messages.labels).tolist()
    monkeypatch.undo()
    assert task.evaluate(task.model).keys() == {"validation_loss", "validation_accuracy", "validation_f1"}
