"""Make a GPT-2 of any size with random weights, save it, and load it again.

Every tensor that was loaded is compared with the one that was saved.

hf-llm instantiate_gpt2 --size large --output_dir runs/gpt2-large-untrained
"""

from dataclasses import dataclass

from hf_llm.config import command, parse, setting


@dataclass
class InstantiateConfig:
    """Settings of `instantiate_gpt2.py`."""

    output_dir: str = setting(..., "New folder for the model; `large` takes 3.1 GB there and in memory.")
    size: str = setting("small", "nano, micro, mini (a laptop's), small, medium, large or xl (published).")
    vocab_size: int | None = setting(
        None, "Tokens of the vocabulary; the size's own when not given (50,257 from small on)."
    )
    seed: int = setting(0, "Seed of the weights.")


@command
def main():
    config = parse(InstantiateConfig, description=__doc__)
    from hf_llm.models.gpt2 import gpt2_config, parameter_counts
    from hf_llm.models.round_trip import round_trip

    gpt2 = gpt2_config(config.size, vocab_size=config.vocab_size)
    counts = parameter_counts(gpt2)
    for part, count in counts.items():
        print(f"{part:20}{count:>15,}{count / counts['total']:>8.1%}", flush=True)
    report = round_trip(gpt2, config.output_dir, config.seed)
    print(
        f"{report['tensors']} tensors, {report['bytes']:,} bytes, loaded as they were saved; seconds: "
        f"make {report['make']:.1f}, save {report['save']:.1f}, load {report['load']:.1f}"
    )
    print(f"the model is in {config.output_dir}")
