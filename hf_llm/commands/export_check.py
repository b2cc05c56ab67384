"""Are exports the same model? Many prompts in every engine, or models of drawn shapes.

    hf-llm export_check prompts --run runs/verdict --count 50
    hf-llm export_check shapes --count 5

Exit code 0 when every text is that of transformers in fp32, or differs first at a tie of logits within 1e-4 (llama.cpp,
which rounds inside GELU: within 1e-2, counted apart); 1 otherwise, and when fewer than three engines are at hand.
"""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import command, parse, require, setting


@dataclass
class ExportCheckConfig:
    """Settings of the export checks."""

    what: Literal["prompts", "shapes"] = setting(..., "what to draw", positional=True)
    count: int = setting(50, "how many prompts, each continued by 20 tokens, or models")
    run: str = setting("runs/verdict", "a trained GPT-2, for the prompts")
    seed: int = setting(0, "seeds the draws")
    transformers_js: str | None = setting(
        None, "folder in which `npm install @huggingface/transformers` was run, for the prompts; default: not there"
    )
    output_dir: str | None = setting(
        None, "folder for result.json and a line a difference, or a model and format; default: print only"
    )

    def __post_init__(self):
        require(self.count >= 1, f"count must be at least 1, not {self.count}")
        require(self.seed >= 0, f"seed must not be negative, but is {self.seed}")


@command
def main() -> int:
    config = parse(ExportCheckConfig, description=__doc__)
    from hf_llm.benchmarks.exports.report import prompts_check, shapes_check

    if config.what == "shapes":
        return 0 if shapes_check(config.count, config.seed, config.output_dir) else 1
    passed = prompts_check(config.run, config.count, config.seed, config.transformers_js, config.output_dir)
    return 0 if passed else 1
