"""The Portuguese model: bits per byte on the last 10 % of Dom Casmurro, three seeds fixed before, run once."""

from pathlib import Path

from hf_llm.benchmarks.verdict import train_with_seeds
from hf_llm.benchmarks.verdict_sweep import development_part
from hf_llm.data import Text, read_text, split_text
from hf_llm.evaluation.byte_ngrams import LONGEST, ByteNGrams, compressor_bits_per_byte

SEEDS = (0, 1, 2)


def run(output_dir: Path) -> None:
    """Train the committed recipe with each seed, score what only counts, and write result.json; ten minutes."""
    train_with_seeds("gpt2/dom-casmurro", SEEDS, output_dir, baselines=baselines(read_text("dom-casmurro")))


def baselines(text: Text) -> dict:
    """Return the bits per byte of byte n-grams, their order chosen on the last tenth of the training part, and LZMA."""
    train, scored = (part.encode("utf-8") for part in split_text(text.text))
    begin, end = (part.encode("utf-8") for part in split_text(development_part(text).text, 1 / 9))
    order = min(range(1, LONGEST + 1), key=lambda order: ByteNGrams.fit(begin, order).bits_per_byte(end))
    return {
        "ngrams": {"order": order, "bits_per_byte": round(ByteNGrams.fit(train, order).bits_per_byte(scored), 4)},
        "lzma": {"bits_per_byte": round(compressor_bits_per_byte(train, scored), 4)},
    }
