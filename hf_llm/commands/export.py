"""A run for ollama, LM Studio, a browser, Intel's or Apple's processors.

    hf-llm export runs/verdict --to gguf

The export is tried in its own engine before it is there: greedy texts of 20 prompts must be those of transformers.
"""

from hf_llm.config import command, parse
from hf_llm.exports.config import ExportConfig


@command
def main() -> None:
    config = parse(ExportConfig, description=__doc__)
    from hf_llm.exports.export import export

    made = export(config)
    print(f"{config.run} → {made.folder}")
    for name, size in made.files.items():
        print(f"  {name}  {size:,} bytes")
    print(made.record["checks"]["greedy"]["summary"])
    for weights in ("f16", "q8_0") if config.to == "gguf" else ():
        bits = made.record["checks"]["bits_per_byte"]
        print(f"{weights}: {bits[weights]:.4f} bits per byte, {bits[f'{weights}_change']:+.3%} ({bits['text']})")
