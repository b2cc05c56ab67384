"""One training: a small GPT-2 on a short text, dropping here or there.

The text has three parts. One is trained on; validation picks the step to keep and the probability; the test part, the
end of the text, judges what was picked. With a seed, every model starts from the same weights and reads the same
windows in the same order, so that differences to the model without dropout are paired. The learning rate is constant
after its warm-up: how early a model is best then does not depend on how long it was to train.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.language_runs import PARTS, TextParts
from hf_llm.experiments.transformer_dropout.passes import bits_per_byte, compare_modes, dropping_passes
from hf_llm.experiments.transformer_dropout.sites import dropping_gpt2
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import TrainingConfig
from hf_llm.training.loop import train

CURVES = (*PARTS, "train_dropping")


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    probabilities: tuple[float, ...]  # beside 0
    steps: int
    evaluations: int  # points of a curve, and steps that validation picks from
    batch: int = 8  # windows per step
    passes: int = 20  # in training mode, through each trained model
    train_tokens: int | None = None  # of the training part, from its beginning; None for all
    vocab_size: int = 512
    shape: dict = field(default_factory=lambda: {"n_layer": 2, "n_head": 4, "n_embd": 64, "n_positions": 64})
    training: dict = field(default_factory=lambda: {
        "learning_rate": 3e-3, "min_learning_rate_ratio": 1.0, "warmup_steps": 50, "precision": "fp32", "threads": 1,
    })  # fmt: skip

    @property
    def middle(self) -> float:
        """The probability at which sites are compared that must have the same one."""
        return self.probabilities[len(self.probabilities) // 2]


FULL = Grid(probabilities=(0.1, 0.3, 0.5), steps=500, evaluations=20)
QUICK = Grid(  # so little text that a minute is enough to learn it by heart
    probabilities=(0.3,), steps=60, evaluations=6, passes=10, train_tokens=1500,
    training=FULL.training | {"learning_rate": 6e-3, "warmup_steps": 20},
)  # fmt: skip


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


class JudgedOnAllParts(CausalLM):
    """Next-token prediction, judged in bits per byte on a piece of each part, by windows that do not overlap."""

    def __init__(self, model, parts: TextParts, grid: Grid, seed: int):
        corpus = parts.first(grid.train_tokens).corpus
        super().__init__(
            model, corpus, context=model.config.n_positions, stride=1,
            total_batch_size=grid.batch, per_device_batch_size=grid.batch, seed=seed,
        )  # fmt: skip
        # of the training text only the beginning, as long as the validation part
        self.judged = parts.ids | {"train": parts.ids["train"][: len(self.validation)]}

    def evaluate(self, model) -> dict[str, float]:
        scores = {
            part: evaluate_tokens(model, ids, self.byte_lengths, stride=self.context, context=self.context)
            for part, ids in self.judged.items()
        }
        windows = whole_windows(self.judged["train"], self.context)
        (dropping,) = dropping_passes(model, windows[:, :-1], passes=1)
        return {
            "validation_loss": scores["validation"].loss,
            **{part: score.bits_per_byte for part, score in scores.items()},
            "train_dropping": bits_per_byte(dropping.logs, windows[:, 1:].flatten(), self.byte_lengths),
        }


def train_cell(parts: TextParts, grid: Grid, setting: str, p: float, seed: int) -> tuple[list[dict], dict]:
    """Train one model; return its curves, and what training mode does to it once it is trained.

    Returns:
        A row for each evaluation: `step`, and bits per byte under the names of `CURVES`. And of the last weights, on
        the test part, what `compare_modes` measures.
    """
    model = dropping_gpt2({**grid.shape, "vocab_size": len(parts.corpus.tokenizer)}, setting, p, seed)
    task = JudgedOnAllParts(model, parts, grid, seed)
    config = TrainingConfig(
        **grid.training, seed=seed, max_steps=grid.steps,
        total_batch_size=grid.batch, per_device_train_batch_size=grid.batch,
        eval_steps=grid.steps // grid.evaluations, logging_steps=grid.steps,
    )  # fmt: skip
    records = [record for record in train(task, config).records if "validation_loss" in record]
    test = whole_windows(task.judged["test"], task.context)
    curve = [{name: record[name] for name in ("step", *CURVES)} for record in records]
    return curve, compare_modes(model, test, task.byte_lengths, grid.passes)


def whole_windows(ids: np.ndarray, context: int) -> torch.Tensor:
    """Return windows that do not overlap, each with the token that follows, shape (windows, context + 1)."""
    starts = np.arange(0, len(ids) - context, context)
    return torch.from_numpy(ids[starts[:, None] + np.arange(context + 1)].astype(np.int64))
