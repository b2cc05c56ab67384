"""Training: a small GPT-2 from decided cases; what it learns is the text that follows one: " sim", " no", " A"."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.data import BatchPlan
from hf_llm.experiments.frame import Study
from hf_llm.experiments.llm_judge.history import decided_texts, split_facts
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.tokenizer import document_start, encode_batch, train_bpe
from hf_llm.training.loop import train
from hf_llm.training.task import Task


@dataclass(frozen=True)
class Grid:
    """Sizes of one version of the experiment."""

    shape: dict  # of the GPT-2
    initial_scale: float  # deviation of the initial weights: GPT-2's own 0.02 keeps so small a net still for long
    vocab_size: int
    decided: int  # cases and as many pairs that are trained on
    steps: int
    batch: int
    rate: float
    tests: int  # cases and as many pairs that are judged


FULL = Grid({"n_layer": 2, "n_head": 4, "n_embd": 48, "n_positions": 160}, 0.1, 700, 6000, 700, 32, 5e-3, 400)
QUICK = replace(
    FULL, shape={"n_layer": 1, "n_head": 8, "n_embd": 64, "n_positions": 160}, initial_scale=0.15, decided=2500,
    steps=130, tests=60,
)  # fmt: skip
TESTS_GIVEN = 60  # where a model of others judges, which may be large


def grid_of(study: Study) -> Grid:
    grid = study.pick(QUICK, FULL)
    return replace(grid, tests=TESTS_GIVEN) if study.judge else grid


class Decisions(Task):
    """Predict the label behind a prompt: the loss is that of the label's tokens alone.

    Args:
        model: A GPT-2.
        tokenizer: Its tokenizer.
        texts: Prompts and labels.
        batch: Texts a step.
        seed: Of their order.
    """

    unit = "tokens"

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[tuple[str, str]],
        batch: int, seed: int,
    ):  # fmt: skip
        self.model, self.plan = model, BatchPlan(len(texts), batch, batch, 1, seed)
        start = torch.tensor([document_start(tokenizer)])
        read = encode_batch(tokenizer, [prompt for prompt, _ in texts])
        whole = encode_batch(tokenizer, [prompt + label for prompt, label in texts])
        self.ids = [torch.cat([start, torch.from_numpy(ids.astype(np.int64))]) for ids in whole]  # each (T,)
        # a label is what stands behind the start token and the prompt; -100 is what no loss counts
        self.labels = [
            torch.where(torch.arange(len(ids)) <= len(prompt), -100, ids) for ids, prompt in zip(self.ids, read)
        ]

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        """Return `input_ids` and `labels`, both (B, T), shorter texts padded on the right."""
        rows = self.plan.indices(step, micro_step, rank)
        ids = pad_sequence([self.ids[row] for row in rows], batch_first=True)
        labels = pad_sequence([self.labels[row] for row in rows], batch_first=True, padding_value=-100)
        return {"input_ids": ids, "labels": labels}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return int((batch["labels"] >= 0).sum())

    def loss(self, model: PreTrainedModel, batch: dict[str, torch.Tensor], n: int) -> torch.Tensor:
        """Return the labels' loss; logits are computed where a label is, at few of all positions."""
        labels = batch["labels"][:, 1:]  # (B, T - 1)
        counted = labels >= 0
        hidden = model.base_model(input_ids=batch["input_ids"][:, :-1]).last_hidden_state[counted]  # (items, n_embd)
        logits = model.get_output_embeddings()(hidden)  # (items, vocab)
        return F.cross_entropy(logits, labels[counted], reduction="sum") / n

    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """Return nothing: the test judges the last weights."""
        return {}


@lru_cache(maxsize=32)
def trained_model(kind: str, quick: bool, seed: int) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Train a model on a history; kept, since all parts of the experiment ask the same judges."""
    grid = QUICK if quick else FULL
    texts = decided_texts(kind, split_facts(seed)[0], grid.decided, seed)
    tokenizer = train_bpe([prompt + label for prompt, label in texts], grid.vocab_size)
    config = gpt2_config(**grid.shape, vocab_size=len(tokenizer), dropout=0.0)
    config.initializer_range = grid.initial_scale
    model = new_gpt2(config, seed)
    batch = {"total_batch_size": grid.batch, "per_device_train_batch_size": grid.batch}
    train(Decisions(model, tokenizer, texts, grid.batch, seed), short_run(grid.steps, grid.rate, seed, **batch))
    return model.eval(), tokenizer
