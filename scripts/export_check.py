"""Are exports the same model? Prompts in every engine at hand, and GPT-2 models of drawn shapes and vocabularies.

    python scripts/export_check.py --run runs/verdict --prompts 50 --shapes 5

Exit code 0 when at least three engines continue every prompt in fp32 as transformers does, or differ first at a tie of
logits within 1e-4, and so does every drawn model; 1 otherwise.
"""

from dataclasses import dataclass

from hf_llm.config import command, parse, require, setting


@dataclass
class ExportCheckConfig:
    """Settings of the export check."""

    run: str = setting("runs/verdict", "a trained GPT-2, for the prompts")
    prompts: int = setting(1000, "prompts to continue by 20 tokens in every engine")
    shapes: int = setting(50, "models to draw")
    seed: int = setting(0, "seeds the draws")
    transformers_js: str | None = setting(
        None, "folder in which `npm install @huggingface/transformers` was run; default: without that engine"
    )
    output_dir: str | None = setting(
        None, "folder for shapes.jsonl, a line a model and format, and result.json; default: print only"
    )

    def __post_init__(self):
        require(self.prompts >= 1, f"prompts must be at least 1, not {self.prompts}")
        require(self.shapes >= 0, f"shapes must not be negative, but is {self.shapes}")
        require(self.seed >= 0, f"seed must not be negative, but is {self.seed}")


@command
def main() -> int:
    config = parse(ExportCheckConfig, description=__doc__)
    from hf_llm.benchmarks.exports.report import export_check

    return 0 if export_check(**vars(config)) else 1


if __name__ == "__main__":
    main()
