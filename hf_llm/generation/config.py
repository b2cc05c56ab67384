"""Settings of text generation, every bound checked. No heavy import, so that `--help` answers at once."""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import require, setting
from hf_llm.texts import both


@dataclass
class GenerationSettings:
    """How to choose tokens, and when to stop.

    Raises:
        UserError: When a value is out of bounds.
    """

    max_new_tokens: int = setting(200, "at most so many tokens after the prompt")
    do_sample: bool = setting(True, "draw the next token at random; off = always the likeliest one (greedy)")
    temperature: float = setting(
        0.8,
        "divides the logits when sampling: towards 0 greedy, 1 the model's own distribution; "
        "0.8 keeps a small model on its surer words",
    )
    top_k: int = setting(0, "sample among the k likeliest tokens; 0 = among all")
    top_p: float = setting(1.0, "sample among the likeliest tokens that together have this probability; 1 = among all")
    repetition_penalty: float = setting(1.0, "above 1 makes tokens that already occurred less likely; 1 = off")
    num_beams: int = setting(
        1, "beam search: keeps so many texts, writes the likeliest at the end; needs do_sample off; 1 = off"
    )
    seed: int = setting(0, "seed of the sampling: the same one gives the same text")
    precision: Literal["fp32", "bf16", "int8"] = setting(
        "fp32",
        "how a GPT-2's weights are read on a CPU, all of them for each token; bf16 and int8 are half and a quarter of "
        "the bytes, and faster",
    )
    stop: list[str] = setting([], "texts that end the generation; they are left out themselves")

    def __post_init__(self):
        for name in ("max_new_tokens", "num_beams"):
            require(getattr(self, name) >= 1, both("generation.at_least_one", name=name, given=getattr(self, name)))
        for name in ("temperature", "repetition_penalty"):
            value = getattr(self, name)
            # beyond these the logits overflow; far below 1, a temperature is greedy anyway
            require(0.001 <= value <= 1000, both("generation.out_of_bounds", name=name, given=value))
        require(self.top_k >= 0, both("generation.top_k", given=self.top_k))
        require(0 < self.top_p <= 1, both("generation.top_p", given=self.top_p))
        require(0 <= self.seed < 2**63, both("generation.seed", given=self.seed))
        require("" not in self.stop, both("generation.empty_stop"))
        require(self.num_beams == 1 or not self.do_sample, both("generation.beams_draw", given=self.num_beams))


@dataclass(kw_only=True)
class GenerateConfig(GenerationSettings):
    """What hf-llm generate needs: the settings, a model and a prompt."""

    model: str = setting(..., "run folder, any causal language model's folder, or a Hub id")
    prompt: str = setting("", "the text to continue; empty = the model begins a document")
