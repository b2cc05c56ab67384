"""Settings of scripts/evaluate_lm.py. No heavy import, so that `--help` answers at once."""

from dataclasses import dataclass, field
from typing import Literal

from hf_llm.config import require


@dataclass
class EvaluateConfig:
    """A model, a text, and how to score the one on the other.

    Raises:
        UserError: When a value is out of bounds.
    """

    model: str = field(metadata={"help": "run folder, any causal language model's folder, or a Hub id"})
    corpus: str = field(metadata={"help": "the-verdict, tiny-shakespeare, sample, or a UTF-8 text file"})
    split: Literal["validation", "train", "all"] = field(
        default="validation", metadata={"help": "part to score; memorisation is always against the training part"}
    )
    validation_fraction: float = field(
        default=0.1, metadata={"help": "share of the text, at its end, that is the validation part"}
    )
    eval_stride: int | None = field(
        default=None,
        metadata={"help": "windows slide by so many tokens; 1 is exact and slow, default half the model's context"},
    )
    eval_tokens: int | None = field(
        default=None, metadata={"help": "score only the first so many tokens of the part; default all"}
    )
    prompt: str = field(
        default="", metadata={"help": "the model continues this for the memorisation meter; empty = a document's start"}
    )
    max_new_tokens: int = field(default=200, metadata={"help": "length of that continuation, in tokens"})
    seed: int = field(default=0, metadata={"help": "seed of that continuation, sampled at temperature 1"})

    def __post_init__(self):
        require(
            0 < self.validation_fraction < 1,
            f"validation_fraction must be greater than 0 and less than 1, not {self.validation_fraction}",
        )
        for name in ("eval_stride", "eval_tokens", "max_new_tokens"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} must be at least 1, not {value}")
