"""What a person is told while a model trains and when it is done."""

import textwrap
from pathlib import Path

from tqdm.auto import tqdm


def print_evaluation(record: dict) -> None:
    """Print one evaluation and the text that the model wrote at it, above the progress bar."""
    line = f"step {record['step']:>6}   loss {record['loss']:.3f}   validation {record['validation_loss']:.3f}"
    if "bits_per_byte" in record:
        line += f"   {record['bits_per_byte']:.3f} bits per byte"
    tqdm.write(line)
    if "sample" in record:
        tqdm.write(textwrap.indent(textwrap.shorten(record["sample"], 150, placeholder=" …"), "             "))


def finished_report(folder: Path, manifest: dict) -> str:
    """Return what came out of a finished run, where it is, and what to do next."""
    data, metrics, config = manifest["data"], manifest["metrics"], manifest["config"]
    best, last = metrics["validation"], metrics["validation_last"]
    minutes, seconds = divmod(round(manifest["wall_seconds"]), 60)
    sample = manifest["sample"]["prompt"] + manifest["sample"]["text"]
    rows = {
        "corpus": f"{data['name']}: {data['bytes']:,} bytes, the last {config['validation_fraction']:.0%} held out",
        "model": f"GPT-2, {manifest['model']['parameters']:,} parameters, "
        f"vocabulary {manifest['tokenizer']['vocab_size']:,}",
        "training": f"{minutes} min {seconds} s, {manifest['tokens_per_second']:,.0f} tokens a second, "
        f"{manifest['resolved']['precision']} on {manifest['resolved']['device']}",
        "validation": f"{best['bits_per_byte']:.3f} bits per byte (step {best['step']}, published), "
        f"{last['bits_per_byte']:.3f} at the last step",
        "it writes": textwrap.fill(sample, 62, subsequent_indent=" " * 16),
        "": "",
        "the model": f"{folder}  (loads with transformers alone)",
        "loss curve": f"{folder / 'figures' / 'loss.png'}",
        "model card": f"{folder / 'README.md'}",
        " ": "",
        "let it write": f'python scripts/generate.py --model {folder} --prompt "I had always thought"',
        "measure it": f"python scripts/evaluate_lm.py --model {folder} --corpus {data['name']}",
        "change it": "python scripts/pretrain.py --config configs/gpt2/verdict.yaml --n_layer 2 --output_dir runs/mine",
        "repeat it": f"python scripts/verify.py {folder}",
    }
    lines = [f"{name:<14}  {text}".rstrip() for name, text in rows.items()]
    return "\n".join(["─" * 78, *lines, "─" * 78])
