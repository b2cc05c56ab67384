"""Settings of hf-llm evaluate_lm. No heavy import, so that `--help` answers at once."""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import require, setting


@dataclass
class EvaluateConfig:
    """A model, a text, and how to score the one on the other.

    Raises:
        UserError: When a value is out of bounds.
    """

    model: str = setting(..., "run folder, any causal language model's folder, or a Hub id")
    corpus: str = setting(..., "the-verdict, tiny-shakespeare, dom-casmurro, sample, or a UTF-8 text file")
    split: Literal["validation", "train", "all"] = setting(
        "validation", "part to score; memorisation is always against the training part"
    )
    validation_fraction: float = setting(0.1, "share of the text, at its end, that is the validation part")
    eval_stride: int | None = setting(
        None, "windows slide by so many tokens; 1 is exact and slow, default half the model's context"
    )
    eval_tokens: int | None = setting(None, "score only the first so many tokens of the part; default all")
    prompt: str = setting("", "the model continues this for the memorisation meter; empty = a document's start")
    max_new_tokens: int = setting(200, "length of that continuation, in tokens")
    seed: int = setting(0, "seed of that continuation, sampled at temperature 1")

    def __post_init__(self):
        require(
            0 < self.validation_fraction < 1,
            f"validation_fraction must be greater than 0 and less than 1, not {self.validation_fraction}",
        )
        for name in ("eval_stride", "eval_tokens", "max_new_tokens"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} must be at least 1, not {value}")
