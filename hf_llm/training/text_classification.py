"""Classifying texts: batches are padded on the right, evaluation gives loss, accuracy and F1."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix, f1_score
from torch import nn
from transformers import PreTrainedTokenizerFast

from hf_llm.data import BatchPlan, LabelledTexts
from hf_llm.generation.inference import evaluating
from hf_llm.tokenization.tokenizer import END_OF_TEXT
from hf_llm.training.task import Task

EVALUATION_BATCH = 64  # texts a forward pass without gradients


class TextClassification(Task):
    """A classifier of texts by a sequence-classification model of transformers.

    Args:
        model: Returns `.logits` (B, classes) from `input_ids` and `attention_mask` (B, T). Where nothing below its last
            layer is trained, that part runs as in evaluation: frozen features have no dropout.
        tokenizer: The model's own, with a pad token.
        train: Training texts.
        validation: Held-out texts.
        context: Tokens of a text that are read, at most; the rest of a longer one is cut off.
        total_batch_size, per_device_batch_size, world_size, seed: As in `BatchPlan`.
    """

    unit = "messages"

    def __init__(
        self, model: nn.Module, tokenizer: PreTrainedTokenizerFast, train: LabelledTexts, validation: LabelledTexts, *,
        context: int, total_batch_size: int, per_device_batch_size: int, world_size: int = 1, seed: int = 0,
    ):  # fmt: skip
        self.model, self.tokenizer, self.validation, self.context = model, tokenizer, validation, context
        self.rows = encode_messages(tokenizer, train.texts, context)
        self.labels = torch.from_numpy(train.labels)
        self.frozen = not any(parameter.requires_grad for parameter in model.base_model.parameters())
        self.plan = BatchPlan(len(train), total_batch_size, per_device_batch_size, world_size, seed)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `input_ids` and `attention_mask` (B, T), T the longest of the B texts, and `labels` (B,)."""
        indices = self.plan.indices(step, micro_step, rank)  # (B,)
        padded = pad([self.rows[index] for index in indices], self.tokenizer.pad_token_id)
        return {**padded, "labels": self.labels[torch.from_numpy(indices)]}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return len(batch["labels"])

    def loss(self, model: nn.Module, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the cross-entropy from the logits: transformers' sequence classification ignores n."""
        if self.frozen:  # the loop has just put all of it in training mode
            self.model.base_model.eval()
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits  # (B, classes)
        return F.cross_entropy(logits.float(), batch["labels"], reduction="sum") / n

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        scores = self.scores(self.validation)
        return {f"validation_{name}": scores[name] for name in ("loss", "accuracy", "f1")}

    def scores(self, messages: LabelledTexts | None = None) -> dict:
        """Return the figures of `self.model` on texts, by default the validation part.

        Returns:
            Mean cross-entropy in nats, accuracy, F1 of each class and their mean (macro F1), the confusion matrix
            (rows: the text's class, columns: the model's answer), and the counts behind them.
        """
        messages = messages or self.validation
        logits = message_logits(self.model, self.tokenizer, messages.texts, self.context)
        labels, answers = torch.from_numpy(messages.labels), logits.argmax(dim=1)
        classes = range(len(messages.classes))
        of_each = f1_score(labels, answers, labels=classes, average=None, zero_division=0.0)
        return {
            "loss": F.cross_entropy(logits, labels).item(),
            "accuracy": (answers == labels).float().mean().item(),
            "f1": float(np.mean(of_each)),
            "f1_by_class": dict(zip(messages.classes, map(float, of_each))),
            "confusion": confusion_matrix(labels, answers, labels=classes).tolist(),
            "correct": int((answers == labels).sum()),
            "messages": len(messages),
        }


def encode_messages(tokenizer: PreTrainedTokenizerFast, texts: tuple[str, ...], context: int) -> list[list[int]]:
    """Return the ids of each text, as whoever loads the published folder gets them from its tokenizer.

    `<|endoftext|>` begins a document, and a message is none; the start token of other tokenizers is their habit.
    """
    encoding = tokenizer(
        list(texts), truncation=True, max_length=context, return_attention_mask=False,
        add_special_tokens=tokenizer.bos_token != END_OF_TEXT,
    )  # fmt: skip
    return encoding["input_ids"]


def pad(rows: list[list[int]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Return ids of different lengths as `input_ids` and `attention_mask` (B, T), filled up on the right."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [pad_token_id] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


@torch.inference_mode()
def message_logits(
    model: nn.Module, tokenizer: PreTrainedTokenizerFast, texts: tuple[str, ...], context: int
) -> torch.Tensor:
    """Return the logits in eval mode, (N, classes); the model's mode is kept."""
    device, rows = next(model.parameters()).device, encode_messages(tokenizer, texts, context)
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))  # texts of a length together need no padding
    logits = []
    with evaluating(model):
        for start in range(0, len(order), EVALUATION_BATCH):
            batch = pad([rows[place] for place in order[start : start + EVALUATION_BATCH]], tokenizer.pad_token_id)
            logits.append(model(**{name: ids.to(device) for name, ids in batch.items()}).logits.float().cpu())
    places = torch.tensor(order).argsort()
    return torch.cat(logits)[places]
