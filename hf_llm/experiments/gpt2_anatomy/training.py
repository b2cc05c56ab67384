"""The GPT-2 of this experiment with and without its parts: each is trained once, and every part looks at the same.

A variant has its own learning rate: a model without norms needs another than one with. It is searched with a seed of
its own, on the validation part; the test part chooses nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from transformers import GPT2LMHeadModel

from hf_llm.config import UserError
from hf_llm.experiments.frame import Study
from hf_llm.experiments.gpt2_anatomy.variants import PARTS, gpt2_without
from hf_llm.experiments.shared.language_runs import TextParts, language_task, train_language_model
from hf_llm.experiments.shared.short_run import SEARCH_SEED
from hf_llm.training.causal_lm import CausalLM

TEXT = "tiny-shakespeare"
VARIANTS = {  # name: the part that is missing, and the number of layers where it is not the grid's
    "whole": (None, None),
    **{part: (part, None) for part in PARTS},
    "whole_one_layer": (None, 1),
    "positions_one_layer": ("positions", 1),
    "mlp_deeper": (
        "mlp",
        6,
    ),  # with as many parameters as the whole model of two layers: an MLP has twice an attention's
}


@dataclass(frozen=True)
class Grid:
    """How much is run."""

    rates: tuple[float, ...]  # that the search tries for each variant
    steps: int
    search_steps: int  # of a training that only searches
    evaluations: int  # points of a curve
    scored: int  # tokens of the test part, from its beginning, that bits per byte are measured on
    windows: int  # of the test part, for what looks inside
    masked_windows: int  # of these, those in which each token is hidden in turn
    batch: int = 8  # windows per step
    context: int = 32  # tokens of a window
    layers: int = 2
    heads: int = 4
    width: int = 64
    vocab_size: int = 640

    def shape(self, layers: int | None, vocab_size: int) -> dict:
        return {
            "n_layer": layers or self.layers, "n_head": self.heads, "n_embd": self.width, "n_positions": self.context,
            "vocab_size": vocab_size,
        }  # fmt: skip


FULL = Grid(
    (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2), 1000, 300, evaluations=4, scored=12_000, windows=400, masked_windows=80
)  # fmt: skip
QUICK = Grid((4e-3,), 60, 5, evaluations=2, scored=1_500, windows=30, masked_windows=6)


class Trained(NamedTuple):
    """What came out of one training."""

    model: GPT2LMHeadModel  # in evaluation mode; all parts of the experiment look at it, and none changes it
    curve: list[dict]  # {"step", "bits"}: bits per byte on the validation part


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


@lru_cache(maxsize=2)
def read_parts(grid: Grid) -> TextParts:
    return TextParts.read(TEXT, grid.vocab_size)


def untrained(grid: Grid, variant: str, seed: int) -> GPT2LMHeadModel:
    """Return the variant as it is before training."""
    part, layers = VARIANTS[variant]
    return gpt2_without(part, grid.shape(layers, len(read_parts(grid).corpus.tokenizer)), seed)


def task_of(grid: Grid, model: GPT2LMHeadModel, seed: int) -> CausalLM:
    task = language_task(model, read_parts(grid), grid.batch, grid.context, seed)
    task.eval_tokens = grid.scored // 4
    return task


@lru_cache(maxsize=64)
def trial(grid: Grid, variant: str, rate: float) -> float:
    """Return the validation's bits per byte after a short training at `rate`; infinite where it diverged."""
    task = task_of(grid, untrained(grid, variant, SEARCH_SEED), SEARCH_SEED)
    try:
        return train_language_model(task, grid.search_steps, rate)[-1]["bits_per_byte"]
    except UserError:
        return float("inf")


@lru_cache(maxsize=64)  # 0.15 million parameters each
def trained(grid: Grid, variant: str, seed: int) -> Trained:
    """Return the variant after a training at the rate that the search likes best."""
    rate = min(grid.rates, key=lambda rate: trial(grid, variant, rate))
    task = task_of(grid, untrained(grid, variant, seed), seed)
    records = train_language_model(task, grid.steps, rate, eval_steps=grid.steps // grid.evaluations)
    curve = [{"step": record["step"], "bits": record["bits_per_byte"]} for record in records]
    return Trained(task.model.eval().requires_grad_(False), curve)
