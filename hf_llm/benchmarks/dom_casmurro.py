"""The Portuguese model: bits per byte on the last 10 % of Dom Casmurro, three seeds fixed before, run once."""

from pathlib import Path

from hf_llm.benchmarks.verdict import train_with_seeds
from hf_llm.data import read_text, split_text
from hf_llm.evaluation.baselines import baselines

SEEDS = (0, 1, 2)


def run(output_dir: Path) -> None:
    """Train the committed recipe with each seed, score what only counts, and write result.json; ten minutes."""
    train, scored = (part.encode("utf-8") for part in split_text(read_text("dom-casmurro").text))
    train_with_seeds("gpt2/dom-casmurro", SEEDS, output_dir, baselines=baselines(train, scored))
