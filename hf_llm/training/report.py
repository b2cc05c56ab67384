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
    data, metrics, model = manifest["data"], manifest["metrics"], manifest["model"]
    best, last = metrics["validation"], metrics["validation_last"]
    minutes, seconds = divmod(round(manifest["wall_seconds"]), 60)
    sample = manifest["sample"]["prompt"] + manifest["sample"]["text"]
    return f"""
{"─" * 78}
corpus        {data["name"]}: {data["bytes"]:,} bytes, {data["train_tokens"]:,} training tokens
model         GPT-2, {model["parameters"]:,} parameters, vocabulary {manifest["tokenizer"]["vocab_size"]:,}
training      {minutes} min {seconds} s, {manifest["tokens_per_second"]:,.0f} tokens a second, {manifest["resolved"]["precision"]}
validation    {best["bits_per_byte"]:.3f} bits per byte at step {best["step"]} (published); {last["bits_per_byte"]:.3f} at the last step
it writes     {textwrap.fill(sample, 64, subsequent_indent=" " * 14)}

the model     {folder}                 (transformers loads it without hf_llm)
loss curve    {folder / "figures" / "loss.png"}
model card    {folder / "README.md"}

next
  let it write        python scripts/generate.py --model {folder} --prompt "I had always thought"
  measure it          python scripts/evaluate_lm.py --model {folder} --corpus {data["name"]}
  change something    python scripts/pretrain.py --config configs/gpt2/verdict.yaml --n_layer 2 --output_dir runs/mine
  was it really so?   python scripts/verify.py {folder}
{"─" * 78}"""
